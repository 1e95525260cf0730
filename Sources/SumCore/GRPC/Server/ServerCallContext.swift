public import Tracing

/// What a handler knows about its call at the beginning.
///
/// Calls of one connection with the same headers share the memory of what they have in common, until one is changed.
public struct ServerCallContext: Sendable {
    private var shared: Shared<Values>
    private let streamID: Int32
    /// The moment at which `timeout` has passed.
    let deadline: ContinuousClock.Instant?

    /// - Parameters:
    ///   - shared: what other calls may have as well.
    ///   - streamID: the stream of the call.
    ///   - deadline: the moment at which the call's timeout has passed.
    init(_ shared: Shared<Values>, streamID: Int32, deadline: ContinuousClock.Instant?) {
        self.shared = shared
        self.streamID = streamID
        self.deadline = deadline
    }

    /// The client's metadata: the header fields that neither HTTP nor gRPC defines.
    public var metadata: GRPCMetadata {
        get { shared.value.metadata }
        set { values.metadata = newValue }
    }

    /// The client's timeout, from the start of the call; nil if it set no deadline.
    public var timeout: Duration? {
        get { shared.value.timeout }
        set { values.timeout = newValue }
    }

    /// The client.
    public var peer: Peer {
        get { shared.value.peer }
        set { values.peer = newValue }
    }

    /// The maximum message size of the call in bytes, both on the wire and decompressed.
    public var maxMessageSize: Int {
        get { shared.value.maxMessageSize }
        set { values.maxMessageSize = newValue }
    }

    /// The compression used by request messages whose compressed flag is set.
    public var compression: GRPCCompression {
        get { shared.value.compression }
        set { values.compression = newValue }
    }

    /// What a tracer knows of the call's span, and of those above it; nil without one. In handlers written with
    /// async/await, `InstrumentationContext.current` is the same.
    public var instrumentation: InstrumentationContext? {
        get { shared.value.instrumentation }
        set { values.instrumentation = newValue }
    }

    /// The memory held by all asynchronous calls of the connection.
    var memory: CallMemory { shared.value.memory }

    /// `/package.Service/Method`.
    public var path: String { shared.value.head.path }
    /// The client's name for the server (`:authority`, or `host`).
    public var authority: String { shared.value.head.authority }
    /// The client's `user-agent`.
    public var userAgent: String { shared.value.head.userAgent }

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
        compression.isAccepted(by: shared.value.head.acceptEncoding)
    }

    /// Performs a reply outside the handler's methods, from any thread. Ignored after the end of the call.
    public func reply(_ reply: ServerReply) {
        post { reply }
    }

    /// Schedules a closure on the event loop and performs the reply that it returns.
    func post(_ reply: @escaping @Sendable () -> ServerReply) {
        shared.value.post(streamID, reply)
    }

    // MARK: What calls share

    struct Values: Sendable {
        let head: CallHead
        var metadata = GRPCMetadata()
        var timeout: Duration?
        var peer: Peer
        var maxMessageSize: Int
        var compression = GRPCCompression.identity
        var instrumentation: InstrumentationContext?
        var memory = CallMemory()
        /// Schedules a closure on the event loop and performs the reply that it returns, for a stream.
        let post: @Sendable (_ streamID: Int32, _ reply: @escaping @Sendable () -> ServerReply) -> Void
    }

    private var values: Values {
        get { shared.value }
        set { shared = Shared(newValue) }
    }
}
