/// What a handler is told of its call when it begins.
public struct ServerCallContext: Sendable {
    let head: CallHead
    /// What the client sent beside the fields that HTTP and gRPC define.
    public var metadata: GRPCMetadata
    /// How long the client waits for the answer, from the start of the call; nil if it set no deadline.
    public var timeout: Duration?
    /// The client.
    public var peer: Peer
    /// Bytes of the longest message that the call accepts, on the wire and decompressed.
    public var maxMessageSize: Int
    /// The compression used by request messages whose compressed flag is set.
    public var compression: GRPCCompression
    /// When `timeout` is over.
    let deadline: ContinuousClock.Instant?
    /// What the asynchronous calls of the connection hold together.
    var memory = CallMemory()
    /// Asks for a reply on the event loop, soon.
    let post: @Sendable (@escaping @Sendable () -> ServerReply) -> Void

    /// `/package.Service/Method`.
    public var path: String { head.path }
    /// The name by which the client calls the server (`:authority`, or `host`).
    public var authority: String { head.authority }
    /// What the client says of itself (`user-agent`).
    public var userAgent: String { head.userAgent }

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
        compression.isAccepted(by: head.acceptEncoding)
    }

    /// Does what a handler wants at another time than when it is asked, from any thread. Ignored after the end.
    public func reply(_ reply: ServerReply) {
        post { reply }
    }
}
