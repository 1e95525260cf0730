extension GRPCServer {
    /// The limits of a server. The times are those of gRPC's server keepalive (grpc/proposal A8 and A9).
    public struct Configuration: Sendable {
        /// Calls one client may have open at once on a connection.
        public var maximumConcurrentStreams = 128
        /// Bytes of the longest message accepted.
        public var maximumMessageLength = 4 << 20
        /// Bytes of a request's header list, counted as RFC 9113 section 6.5.2 does. A list has 100 fields at most.
        public var maximumHeaderListSize = 8 << 10

        /// How long a client may take, once connected, to begin HTTP/2 with its SETTINGS.
        public var handshakeTimeout = Duration.seconds(10)

        /// Silence of a client after which it is sent a PING.
        public var keepaliveTime = Duration.seconds(2 * 3600)
        /// How long the client may then stay silent before its connection is closed.
        public var keepaliveTimeout = Duration.seconds(20)
        /// The least time between the PINGs of a client; after three too soon its connection is closed.
        public var minimumPingInterval = Duration.seconds(5 * 60)
        /// Whether that holds without calls too; the least time is then two hours otherwise.
        public var permitsPingsWithoutCalls = false

        /// How long a connection may be without calls before it is ended gracefully; nil: for ever.
        public var maximumConnectionIdle: Duration?
        /// How old a connection may grow, up to a tenth more or less, before it is ended gracefully; nil: for ever.
        public var maximumConnectionAge: Duration?
        /// How long the calls of a connection of that age may take to end before they are cut; nil: for ever.
        public var maximumConnectionAgeGrace: Duration?

        public init() {}
    }
}
