/// An address on which a server listens, and how it speaks there.
public struct ListenEndpoint: Sendable {
    /// Where to listen.
    public var address: ListenAddress
    /// Nil: clear text.
    public var tls: ServerTLS?

    /// Creates an endpoint; without `tls` it speaks clear text.
    public init(_ address: ListenAddress, tls: ServerTLS? = nil) {
        self.address = address
        self.tls = tls
    }
}
