/// What a client asks for one call.
public struct GRPCCallOptions: Sendable {
    /// The call's deadline, from its start: when it has passed, the call ends with DEADLINE_EXCEEDED. The time it
    /// takes to connect and to try again counts. nil: none.
    public var timeout: Duration?
    /// Sent along with the request.
    public var metadata = GRPCMetadata()
    /// How to compress the messages that are sent; what is received may be compressed in any way.
    public var compression = GRPCCompression.identity
    /// How many times to try again after UNAVAILABLE, if no answer has begun and what was sent is still kept
    /// (256 KiB).
    public var maxRetries = 0
    /// Whether a call waits for a connection, however long that takes, instead of failing when connecting fails
    /// (grpc/doc/wait-for-ready.md).
    public var waitsForReady = false

    public init(timeout: Duration? = nil, metadata: GRPCMetadata = .init()) {
        self.timeout = timeout
        self.metadata = metadata
    }
}
