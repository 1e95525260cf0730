internal import NIOCore

/// One call on a client's connection.
///
/// For the properties without exclusivity checks, see `HTTP2Session`; the same reasons hold here.
final class ClientStream: HTTP2Body {
    let handler: any ClientCallHandler
    private let body: any HTTP2Body
    @safe @exclusivity(unchecked) var call = ClientCall()
    @safe @exclusivity(unchecked) var id: Int32 = 0
    /// When to check the stream next.
    var wakeUp: NIODeadline?
    /// The deadline; the distant future if there is none.
    let expiry: NIODeadline
    @safe @exclusivity(unchecked) var bytesReceived = 0

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
