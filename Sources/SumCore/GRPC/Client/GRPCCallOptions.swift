/// The options of one call.
public struct GRPCCallOptions: Sendable {
    /// The time the call may take from its start, including connecting and retries. When it has passed, the call ends
    /// with DEADLINE_EXCEEDED. nil means no deadline.
    public var timeout: Duration?
    /// The metadata sent with the request.
    public var metadata = GRPCMetadata()
    /// How to compress outgoing messages. Incoming messages may use any supported compression.
    public var compression = GRPCCompression.identity
    /// The number of retries after UNAVAILABLE. A call is retried only before its response has begun, and while
    /// everything that it sent is still kept (256 KiB).
    public var maxRetries = 0
    /// Whether the call waits for a connection as long as it takes, instead of failing when connecting fails
    /// (grpc/doc/wait-for-ready.md).
    public var waitsForReady = false

    /// Creates options; those not given here have their defaults.
    ///
    /// - Parameters:
    ///   - timeout: the time until DEADLINE_EXCEEDED, counted from the start of the call; nil for no deadline.
    ///   - metadata: sent with the request.
    public init(timeout: Duration? = nil, metadata: GRPCMetadata = .init()) {
        self.timeout = timeout
        self.metadata = metadata
    }
}
