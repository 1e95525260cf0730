public import NIOCore

/// The handler of one call at the lowest level: synchronous, in batches, on the connection's event loop. It must never
/// block.
///
/// It receives the bytes of the messages as they arrive, then their end, or at any time the cancellation. After a
/// cancellation, or after the handler has ended the call itself, it receives nothing more.
public protocol ServerCallHandler: AnyObject {
    /// Whether the handler may go on after its stream has closed, as one with its own task does. Such a handler ends
    /// each call with a reply that has an `end`, and until then counts against its client's limit of calls
    /// (CVE-2023-44487). Read once, when the call begins; a wrapper must forward it.
    var outlivesStream: Bool { get }
    /// The number of messages in each direction; nil if the handler does not count them.
    var messageCounts: MessageCounts? { get }
    /// Takes bytes of the request's messages, each with its five-byte prefix, split at any position.
    func receive(_ bytes: ByteBuffer) -> ServerReply
    /// Takes as many of `bytes` as `budget` allows, from the front. A handler whose work may cost far more than reading
    /// the bytes stops when the budget is spent. What it leaves in `bytes` is offered again in the call's next turn,
    /// before newer bytes. By default, all bytes go to `receive(_:)`.
    func receive(_ bytes: inout ByteBuffer, within budget: inout TurnBudget) -> ServerReply
    /// The client has sent all its messages.
    func receiveEnd() -> ServerReply
    /// The call has ended without the handler: the client cancelled it or disconnected, or the deadline has passed.
    func cancel(_ reason: GRPCStatus)
    /// `byteCount` bytes of the call's messages have been passed to the network. A handler with much to send waits for
    /// this.
    func sent(_ byteCount: Int)
}

extension ServerCallHandler {
    public var messageCounts: MessageCounts? { nil }

    public func receive(_ bytes: inout ByteBuffer, within budget: inout TurnBudget) -> ServerReply {
        let all = bytes
        bytes = ByteBuffer()
        return receive(all)
    }

    public func sent(_ byteCount: Int) {}
}
