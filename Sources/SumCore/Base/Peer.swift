/// The other end of a connection.
public struct Peer: Hashable, Sendable, CustomStringConvertible {
    /// The address in the syntax of `Target`, such as `127.0.0.1:40000`, `[::1]:40000` or `unix:/run/sum.sock`; empty
    /// if the system does not provide it. Behind an HTTP proxy it is the name or address that the proxy was given, since
    /// nothing else is known.
    public var address: String

    public init(address: String) {
        self.address = address
    }

    /// The address, or `?` if it is empty.
    public var description: String { address.isEmpty ? "?" : address }
}
