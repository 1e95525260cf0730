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
    public var maxMessageSize: Int
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
