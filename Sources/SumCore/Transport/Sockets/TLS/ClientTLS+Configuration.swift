extension ClientTLS {
    /// What a client believes, and what it shows.
    public struct Configuration: Sendable {
        /// The CAs of servers' certificates.
        public var roots = TrustRoots.system
        /// The client's certificate and key, for servers that want one.
        public var identity: TLSIdentity?
        /// The name that a server's certificate must have. Nil: the host of the target as it is written, `localhost` for
        /// a Unix domain socket.
        public var serverName: String?
        /// The oldest version of TLS to speak.
        public var minimum = TLSMinimum.v1_2
        /// Where to write the secrets of each connection, for debugging.
        public var keyLog: TLSKeyLog?
        /// When a connection is made and the files were last read so long ago, they are read again before it. If anything is
        /// wrong with them, what was read before stays in use. Nil: only `reload()` reads them again.
        public var reloadInterval: Duration? = .seconds(30)
        /// For tests with peers of one version.
        var maximum: TLSMinimum?

        /// Creates a configuration that believes the CAs of the system.
        public init() {}
    }
}
