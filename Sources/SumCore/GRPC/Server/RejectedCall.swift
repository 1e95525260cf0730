internal import NIOCore

/// Stands where a handler would for a request that did not become a call.
final class RejectedCall: ServerCallHandler {
    func receive(_ bytes: ByteBuffer) -> ServerReply { ServerReply(consumed: bytes.readableBytes) }
    func receiveEnd() -> ServerReply { ServerReply() }
    func cancel(_ reason: GRPCStatus) {}
}
