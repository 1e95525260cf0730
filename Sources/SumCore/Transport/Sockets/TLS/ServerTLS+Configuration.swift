extension ServerTLS {
    /// What a server shows, and what it asks for.
    public struct Configuration: Sendable {
        /// The server's certificate and key.
        public var identity: TLSIdentity
        /// The CAs of clients' certificates. Nil: clients are not asked for one.
        public var clientCAs: PEMSource?
        /// Whether a client may do without a certificate. One that it shows must be valid in any case.
        public var clientCertificate = ClientCertificate.required
        /// The oldest version of TLS to speak.
        public var minimum = TLSMinimum.v1_2
        /// Where to write the secrets of each connection, for debugging.
        public var keyLog: TLSKeyLog?
        /// For tests with peers of one version.
        var maximum: TLSMinimum?

        /// Creates a configuration; without `clientCAs`, clients are not asked who they are.
        public init(identity: TLSIdentity, clientCAs: PEMSource? = nil) {
            self.identity = identity
            self.clientCAs = clientCAs
        }
    }

    /// Whether clients need a certificate, if the server asks for one.
    public enum ClientCertificate: String, CaseIterable, Sendable {
        /// A client must show one.
        case required = "require"
        /// A client may show one.
        case optional
    }
}
