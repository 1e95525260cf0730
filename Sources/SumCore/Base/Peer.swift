/// Who is at the other end of a connection.
public struct Peer: Hashable, Sendable, CustomStringConvertible {
    /// The address as it can be dialled, such as `127.0.0.1:40000`, `[::1]:40000` or `unix:/run/sum.sock`; empty if the
    /// system does not tell.
    public var address: String

    public init(address: String) {
        self.address = address
    }

    /// The address, or `?`.
    public var description: String { address.isEmpty ? "?" : address }
}
