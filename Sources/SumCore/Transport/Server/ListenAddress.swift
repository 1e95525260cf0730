internal import NIOCore

/// Where a server listens.
public enum ListenAddress: Hashable, Sendable {
    /// A name or address and a port; port 0 lets the system choose one.
    case host(String, port: Int)
    /// Every interface, on both IPv4 and IPv6.
    case allInterfaces(port: Int)
    /// A Unix domain socket.
    case unix(path: String)

    /// Reads an address that is written as a client's target is, but for these: the port must be there, and may be 0;
    /// `:PORT` and `*:PORT` mean every interface.
    ///
    /// - Throws: `InvalidAddress` when `text` is not such an address.
    public init(_ text: String) throws(InvalidAddress) {
        switch try WrittenAddress(text, called: "address") {
        case .unix(let path): self = .unix(path: path)
        case .hosts(let hosts):
            guard let host = hosts.first, hosts.count == 1 else {
                throw InvalidAddress(description: "the address '\(text)' is several: give them one by one")
            }
            guard let port = host.port else {
                throw InvalidAddress(description: "the address '\(text)' names no port")
            }
            self = host.host.isEmpty ? .allInterfaces(port: port) : Self.at(host.host, port: port)
        }
    }

    /// Reads a name or an address without a port; `*` means every interface.
    ///
    /// - Throws: `InvalidAddress` for an empty text too, such as a variable of a script may be: to listen everywhere
    ///   must be meant.
    public init(host text: String, port: Int) throws(InvalidAddress) {
        guard let host = try? HostAndPort(text), !host.host.isEmpty, host.port == nil else {
            throw InvalidAddress(
                description: "the host '\(text)' is neither a name nor an address, and it may not have a port"
            )
        }
        self = Self.at(host.host, port: port)
    }

    private static func at(_ host: String, port: Int) -> ListenAddress {
        host == "*" ? .allInterfaces(port: port) : .host(host, port: port)
    }
}

extension ListenAddress: CustomStringConvertible {
    public var description: String {
        switch self {
        case .host(let host, let port): HostAndPort.describe(host, port: port)
        case .allInterfaces(let port): "port \(port)"
        case .unix(let path): WrittenAddress.describe(unixPath: path)
        }
    }
}
