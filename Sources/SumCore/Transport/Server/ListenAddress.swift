internal import NIOCore

/// An address on which a server listens.
public enum ListenAddress: Hashable, Sendable {
    /// A host name or an IP address, and a port. With port 0 the system chooses one.
    case host(String, port: Int)
    /// All interfaces, IPv4 and IPv6.
    case allInterfaces(port: Int)
    /// A Unix domain socket. The path may have up to 107 bytes.
    case unix(path: String)
    /// A listening stream socket that the process has already, such as one that a service manager has passed to it. The
    /// server closes it in the end, and leaves the file of a Unix domain socket to whoever has made it.
    case inherited(descriptor: CInt, isUnix: Bool)

    /// Parses an address in the syntax of `Target`, with these differences: it must have a port, which may be 0, and
    /// `:PORT` and `*:PORT` mean all interfaces.
    ///
    /// - Throws: `InvalidAddress` with the reason.
    public init(_ text: String) throws(InvalidAddress) {
        switch try WrittenAddress(text, called: "address") {
        case .unix(let path): self = .unix(path: path)
        case .hosts(let hosts):
            guard let host = hosts.first, hosts.count == 1 else {
                throw InvalidAddress(
                    description: "the address '\(text)' is a list: give its addresses one by one")
            }
            guard let port = host.port else {
                throw InvalidAddress(description: "the address '\(text)' has no port")
            }
            self = host.host.isEmpty ? .allInterfaces(port: port) : Self.at(host.host, port: port)
        }
    }

    /// Parses a host name or an IP address without a port. `*` means all interfaces.
    ///
    /// - Throws: `InvalidAddress` with the reason; also for an empty text, which may be an unset variable of a script.
    ///   Listening on all interfaces must be intended.
    public init(host text: String, port: Int) throws(InvalidAddress) {
        guard let host = try? HostAndPort(text), !host.host.isEmpty, host.port == nil else {
            throw InvalidAddress(
                description: "the host '\(text)' must be a name or an address, without a port"
            )
        }
        self = Self.at(host.host, port: port)
    }

    /// Whether it is a Unix domain socket.
    public var isUnix: Bool {
        switch self {
        case .unix: true
        case .inherited(_, let isUnix): isUnix
        case .host, .allInterfaces: false
        }
    }

    private static func at(_ host: String, port: Int) -> ListenAddress {
        host == "*" ? .allInterfaces(port: port) : .host(host, port: port)
    }
}

extension ListenAddress: CustomStringConvertible {
    /// The address in the syntax of `init(_:)`, except that all interfaces are `port PORT`, and an inherited socket is
    /// `descriptor N`.
    public var description: String {
        switch self {
        case .host(let host, let port): HostAndPort.describe(host, port: port)
        case .allInterfaces(let port): "port \(port)"
        case .unix(let path): WrittenAddress.describe(unixPath: path)
        case .inherited(let descriptor, _): "descriptor \(descriptor)"
        }
    }
}
