public import NIOCore

/// A method that a server hosts.
public struct GRPCMethod: Sendable {
    /// `/package.Service/Method`.
    public var path: String
    /// Makes the handler of one call.
    public var makeHandler: @Sendable (ServerCallContext) -> any ServerCallHandler

    public init(path: String, makeHandler: @escaping @Sendable (ServerCallContext) -> any ServerCallHandler) {
        self.path = path
        self.makeHandler = makeHandler
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
    /// Bytes of the longest message the server accepts.
    public var maximumMessageLength: Int
    /// How those of the request's messages are compressed that say they are.
    public var compression: GRPCCompression
    /// What the client can decompress, as it says it.
    let acceptEncoding: String
    /// When `timeout` is over.
    let deadline: ContinuousClock.Instant?
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
    /// The client has sent all its messages.
    func receiveEnd() -> ServerReply
    /// The call has ended without the handler: the client cancelled it or is gone, or its deadline has passed.
    func cancel(_ reason: GRPCStatus)
    /// Bytes of its messages have been passed on to the network. A handler with much to send waits for this.
    func sent(_ byteCount: Int)
}

extension ServerCallHandler {
    public func sent(_ byteCount: Int) {}
}

/// What a handler wants done.
public struct ServerReply: Sendable {
    /// Bytes of the request that have been consumed since the last reply. The client may send as many more.
    public var consumed: Int
    /// Metadata for the client, which travels in front of the first message; later it is too late, and ignored.
    public var metadata = GRPCMetadata()
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
