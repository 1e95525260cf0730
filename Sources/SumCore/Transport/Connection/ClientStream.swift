internal import NIOCore

/// One call on a client's connection.
final class ClientStream: HTTP2Body {
    let handler: any ClientCallHandler
    private let body: any HTTP2Body
    var call = ClientCall()
    var id: Int32 = 0
    /// When the stream is to be looked at.
    var wakeUp: NIODeadline?
    /// When the deadline is over; never if there is none.
    let expiry: NIODeadline
    var bytesReceived = 0

    init(handler: any ClientCallHandler, expiry: NIODeadline) {
        self.handler = handler
        body = handler.requestBody
        self.expiry = expiry
    }

    // A call that has ended sends nothing more; its stream is about to be reset.

    func fill(_ frame: inout OutputRawSpan) -> HTTP2BodyState {
        call.hasEnded ? .open : body.fill(&frame)
    }

    func takeLongPiece(maximum: Int) -> (bytes: ByteBuffer, state: HTTP2BodyState)? {
        call.hasEnded ? nil : body.takeLongPiece(maximum: maximum)
    }
}
