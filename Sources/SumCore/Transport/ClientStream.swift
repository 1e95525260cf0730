internal import NIOCore

/// One call on a client's connection.
final class ClientStream: HTTP2Body {
    let handler: any ClientCallHandler
    var call = ClientCall()
    var id: Int32 = 0
    var deadline: Scheduled<Void>?
    /// When the deadline is over; never if there is none.
    let expiry: NIODeadline
    /// Whether END_STREAM has been sent.
    var hasSentEnd = false

    init(handler: any ClientCallHandler, expiry: NIODeadline) {
        self.handler = handler
        self.expiry = expiry
    }

    func fill(_ frame: inout OutputRawSpan) -> HTTP2BodyState {
        // A call that has ended sends nothing more; its stream is about to be reset.
        guard !call.hasEnded else { return .open }
        return switch handler.fill(&frame) {
        case .open: .open
        case .finished: .finished(trailers: [])
        }
    }
}
