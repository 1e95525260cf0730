public import NIOCore

/// The handler of one call in its lowest form: synchronous, in batches, on the event loop of its connection,
/// where it must never wait.
///
/// It is given the bytes of the messages as they arrive, then the end of them, or at any time the
/// cancellation; after that, and after it has ended the call itself, it is given nothing more.
public protocol ServerCallHandler: AnyObject {
    /// Whether the handler may go on after its stream has closed, as one with a task of its own does. Such a handler
    /// ends each call with a reply that has an `end`, and until then counts against the calls that its client may
    /// have (CVE-2023-44487). Asked once, when the call begins; a handler that wraps another passes this on.
    var outlivesStream: Bool { get }
    /// How many messages the call has carried; nil if the handler does not count them.
    var messageCounts: MessageCounts? { get }
    /// Takes bytes of the request's messages, each of them with its five-byte prefix, cut at any place.
    func receive(_ bytes: ByteBuffer) -> ServerReply
    /// Takes as many of `bytes` as `budget` allows, from the front. A handler whose work may cost far more than the
    /// bytes that ask for it stops when the budget is spent; what it leaves in `bytes` is offered again, in the call's
    /// next turn, before what follows. By default all of them go to `receive(_:)`.
    func receive(_ bytes: inout ByteBuffer, within budget: inout TurnBudget) -> ServerReply
    /// The client has sent all its messages.
    func receiveEnd() -> ServerReply
    /// The call has ended without the handler: the client cancelled it or is gone, or its deadline has passed.
    func cancel(_ reason: GRPCStatus)
    /// Bytes of its messages have been passed on to the network. A handler with much to send waits for this.
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
