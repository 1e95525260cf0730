public import NIOCore

/// A method that a server hosts.
public struct GRPCMethod: Sendable {
    /// `/package.Service/Method`.
    public var path: String
    /// Bytes of the longest message that the method takes, on the wire and decompressed; nil: as many as the server
    /// does. What a client can make a server do grows with it, so methods with small messages should say so.
    public var maximumMessageLength: Int?
    /// Makes the handler of one call.
    public var makeHandler: @Sendable (ServerCallContext) -> any ServerCallHandler
    /// What whoever starts a server with the method should know.
    var warning: String?

    public init(
        path: String, maximumMessageLength: Int? = nil,
        makeHandler: @escaping @Sendable (ServerCallContext) -> any ServerCallHandler
    ) {
        self.path = path
        self.maximumMessageLength = maximumMessageLength
        self.makeHandler = makeHandler
    }

    /// The same method with messages of at most `count` bytes.
    func limited(to count: Int) -> GRPCMethod {
        var method = self
        method.maximumMessageLength = count
        return method
    }
}

/// What a handler is told of its call when it begins.
public struct ServerCallContext: Sendable {
    /// `/package.Service/Method`.
    public var path: String
    /// What the client sent beside the fields that HTTP and gRPC define.
    public var metadata: GRPCMetadata
    /// How long the client waits for the answer, from the start of the call; nil if it set no deadline.
    public var timeout: Duration?
    /// The client's address, such as `127.0.0.1:40000`.
    public var peer: String
    /// Bytes of the longest message that the call accepts, on the wire and decompressed.
    public var maximumMessageLength: Int
    /// The compression used by request messages whose compressed flag is set.
    public var compression: GRPCCompression
    /// What the client can decompress, as it says it.
    let acceptEncoding: String
    /// When `timeout` is over.
    let deadline: ContinuousClock.Instant?
    /// What the asynchronous calls of the connection hold together.
    var memory = CallMemory()
    /// Asks for a reply on the event loop, soon.
    let post: @Sendable (@escaping @Sendable () -> ServerReply) -> Void

    /// How long the client still waits; nil if it set no deadline, negative when it has passed.
    public var timeLeft: Duration? {
        deadline.map { $0 - ContinuousClock.now }
    }

    /// How to compress the responses unless there is a reason for another choice: as the request, which is
    /// grpc-go's choice.
    public var responseCompression: GRPCCompression {
        accepts(compression) ? compression : .identity
    }

    /// Whether the client can decompress it.
    public func accepts(_ compression: GRPCCompression) -> Bool {
        compression.isAccepted(by: acceptEncoding)
    }

    /// Does what a handler wants at another time than when it is asked, from any thread. Ignored after the end.
    public func reply(_ reply: ServerReply) {
        post { reply }
    }
}

/// The handler of one call in its lowest form: synchronous, in batches, on the event loop of its connection,
/// where it must never wait.
///
/// It is given the bytes of the messages as they arrive, then the end of them, or at any time the
/// cancellation; after that, and after it has ended the call itself, it is given nothing more.
public protocol ServerCallHandler: AnyObject {
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
    public func receive(_ bytes: inout ByteBuffer, within budget: inout TurnBudget) -> ServerReply {
        let all = bytes
        bytes = ByteBuffer()
        return receive(all)
    }

    public func sent(_ byteCount: Int) {}
}

/// What a handler wants done.
public struct ServerReply: Sendable {
    /// Bytes of the request that have been consumed since the last reply. The client may send as many more.
    public var consumed: Int
    /// Bytes that compressed messages among these were decompressed to. A client whose messages decompress to far more than
    /// it sends loses its connection (`GRPCServer.Configuration.maximumDecompressionExcess`).
    public var decompressed = 0
    /// Metadata for the client, which travels in the headers. They leave with the first reply that has messages, sends
    /// the headers, or ends the call; metadata in a later reply is ignored.
    public var metadata = GRPCMetadata()
    /// Whether the headers leave now, even without a message.
    public var sendsHeaders = false
    /// How those of the messages are compressed that say they are; counts with the first message.
    public var compression = GRPCCompression.identity
    /// Messages for the client, each with its five-byte prefix.
    public var messages = ByteBuffer()
    /// Metadata for the client that travels with the status.
    public var trailers = GRPCMetadata()
    /// Ends the call, once the messages have been sent.
    public var end: GRPCStatus?

    public init(consumed: Int = 0, end: GRPCStatus? = nil) {
        self.consumed = consumed
        self.end = end
    }
}
