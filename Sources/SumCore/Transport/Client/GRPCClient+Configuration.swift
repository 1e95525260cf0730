extension GRPCClient {
    public struct Configuration: Sendable {
        /// How long a call tries to connect before it fails, unless it waits for the connection.
        public var connectTimeout = Duration.seconds(2)
        /// Bytes of the longest message accepted.
        public var maxMessageSize = 4 << 20
        /// What a program says of itself, in front of what the library says (`user-agent`).
        public var userAgent = ""

        /// Silence of the server after which it is sent a PING; nil: never. Less than 10 seconds counts as 10
        /// (grpc/proposal A8), and servers may end connections for more than one in 5 minutes.
        public var keepaliveTime: Duration?
        /// How long the server may then stay silent before its connection is lost.
        public var keepaliveTimeout = Duration.seconds(20)
        /// Whether PINGs are sent without calls too.
        public var keepaliveWithoutCalls = false

        /// Asked about every call before it begins, in this order.
        public var interceptors: [any ClientInterceptor] = []
        /// Told of connections and calls.
        public var observers: [any ClientObserver] = []

        public init() {}
    }
}
