public import Tracing

/// What a handler knows about its call at the beginning.
public struct ServerCallContext: Sendable {
    let head: CallHead
    /// The client's metadata: the header fields that neither HTTP nor gRPC defines.
    public var metadata: GRPCMetadata
    /// The client's timeout, from the start of the call; nil if it set no deadline.
    public var timeout: Duration?
    /// The client.
    public var peer: Peer
    /// The maximum message size of the call in bytes, both on the wire and decompressed.
    public var maxMessageSize: Int
    /// The compression used by request messages whose compressed flag is set.
    public var compression: GRPCCompression
    /// What a tracer knows of the call's span, and of those above it; nil without one. In handlers written with
    /// async/await, `InstrumentationContext.current` is the same.
    public var instrumentation: InstrumentationContext?
    /// The moment at which `timeout` has passed.
    let deadline: ContinuousClock.Instant?
    /// The memory held by all asynchronous calls of the connection.
    var memory = CallMemory()
    /// Schedules a closure on the event loop and performs the reply that it returns.
    let post: @Sendable (@escaping @Sendable () -> ServerReply) -> Void

    /// `/package.Service/Method`.
    public var path: String { head.path }
    /// The client's name for the server (`:authority`, or `host`).
    public var authority: String { head.authority }
    /// The client's `user-agent`.
    public var userAgent: String { head.userAgent }

    /// The time until the deadline; nil if the client set none, negative once it has passed.
    public var timeLeft: Duration? {
        deadline.map { $0 - ContinuousClock.now }
    }

    /// The default compression of responses: the same as the request's if the client accepts it, as in grpc-go.
    public var responseCompression: GRPCCompression {
        accepts(compression) ? compression : .identity
    }

    /// Whether the client can decompress `compression`.
    public func accepts(_ compression: GRPCCompression) -> Bool {
        compression.isAccepted(by: head.acceptEncoding)
    }

    /// Performs a reply outside the handler's methods, from any thread. Ignored after the end of the call.
    public func reply(_ reply: ServerReply) {
        post { reply }
    }
}
