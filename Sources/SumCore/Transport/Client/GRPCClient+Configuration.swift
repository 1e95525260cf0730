extension GRPCClient {
    /// The settings of a client, for all its calls.
    public struct Configuration: Sendable {
        /// How long calls wait for a connection when there is none, unless they wait as long as it takes
        /// (`waitsForReady`), and how long a server may take to answer an attempt. When connecting has failed for so
        /// long, the client goes on trying in the background, and calls fail at once (grpc/proposal A62).
        public var connectTimeout = Duration.seconds(2)
        /// How calls are distributed over the addresses of the target.
        public var loadBalancing = LoadBalancingPolicy.pickFirst()
        /// The event loops of the connections.
        public var eventLoops = EventLoopAssignment.shared
        /// Whether to go through an HTTP proxy. The proxy resolves the target's name, so that to this client, all the
        /// servers with that name are one.
        public var proxy = ProxySetting.fromEnvironment
        /// TLS to every server; nil for clear text.
        public var tls: ClientTLS?
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

        /// The token that is sent with every call; nil for none.
        public var credentials: CallCredentials?

        /// Called for every call before it begins, in this order.
        public var interceptors: [any ClientInterceptor] = []
        /// Observers of connections and calls.
        public var observers: [any ClientObserver] = []

        /// Creates a configuration with defaults: one connection in clear text, 2 seconds to connect, messages up to 4 MiB, no keepalive.
        public init() {}
    }

    /// Which event loops, each with a thread of its own, serve a client's connections.
    public enum EventLoopAssignment: Hashable, Sendable {
        /// One for all connections: tasks on the client's `executor` never hand anything to another thread.
        case shared
        /// Each connection is given the next of the process's event loops, so that a client of several servers can use
        /// several cores.
        case perConnection
    }
}
