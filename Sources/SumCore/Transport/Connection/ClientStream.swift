internal import NIOCore

/// One call on a client's connection.
final class ClientStream: HTTP2Body {
    let handler: any ClientCallHandler
    var call = ClientCall()
    var id: Int32 = 0
    var deadline: Scheduled<Void>?
    /// When the deadline is over; never if there is none.
    let expiry: NIODeadline

    init(handler: any ClientCallHandler, expiry: NIODeadline) {
        self.handler = handler
        self.expiry = expiry
    }

    func fill(_ frame: inout OutputRawSpan) -> HTTP2BodyState {
        // A call that has ended sends nothing more; its stream is about to be reset.
        guard !call.hasEnded else { return .open }
        return HTTP2BodyState(handler.fill(&frame))
    }

    func takeLongPiece(maximum: Int) -> (bytes: ByteBuffer, state: HTTP2BodyState)? {
        guard !call.hasEnded, let (bytes, progress) = handler.takeLongPiece(maximum: maximum) else {
            return nil
        }
        return (bytes, HTTP2BodyState(progress))
    }
}

extension HTTP2BodyState {
    fileprivate init(_ progress: ClientCallProgress) {
        self =
            switch progress {
            case .open: .open
            case .finished: .finished(trailers: [])
            }
    }
}
