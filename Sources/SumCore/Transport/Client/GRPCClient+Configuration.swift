extension GRPCClient {
    /// The settings of a client, for all its calls.
    public struct Configuration: Sendable {
        /// How long a call tries to connect before it fails, unless it waits for a connection (`waitsForReady`).
        public var connectTimeout = Duration.seconds(2)
        /// The maximum size of a response message in bytes.
        public var maxMessageSize = 4 << 20
        /// The application's part of `user-agent`, put in front of the library's.
        public var userAgent = ""

        /// How long the server may be silent before it gets a PING; nil for no PINGs. Values below 10 seconds count as
        /// 10 (grpc/proposal A8). Servers may end connections that send more than one PING in 5 minutes.
        public var keepaliveTime: Duration?
        /// How long the server may stay silent after the PING before the connection is lost.
        public var keepaliveTimeout = Duration.seconds(20)
        /// Whether to send PINGs while there are no calls.
        public var keepaliveWithoutCalls = false

        /// Called for every call before it begins, in this order.
        public var interceptors: [any ClientInterceptor] = []
        /// Observers of connections and calls.
        public var observers: [any ClientObserver] = []

        /// Creates a configuration with defaults: 2 seconds to connect, messages up to 4 MiB, no keepalive.
        public init() {}
    }
}
