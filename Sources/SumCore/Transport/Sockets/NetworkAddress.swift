internal import NIOCore

/// The address of a socket.
public enum NetworkAddress: Hashable, Sendable {
    /// An IP address and a port. Behind an HTTP proxy, the host may be a name.
    case ip(host: String, port: Int)
    /// A Unix domain socket; the path of one without a name is empty.
    case unix(path: String)

    /// Parses the text that `description` gives.
    public init?(_ text: String) {
        switch try? WrittenAddress(text, called: "address") {
        case .unix(let path): self = .unix(path: path)
        case .hosts(let hosts):
            guard let host = hosts.first, hosts.count == 1, !host.host.isEmpty, let port = host.port else {
                return nil
            }
            self = .ip(host: host.host, port: port)
        case nil: return nil
        }
    }

    init?(_ address: SocketAddress) {
        if case .unixDomainSocket = address {
            self = .unix(path: address.pathname ?? "")
        } else {
            self.init(address.text)
        }
    }

    /// The host; nil for a Unix domain socket.
    public var host: String? {
        if case .ip(let host, _) = self { host } else { nil }
    }

    /// The port; nil for a Unix domain socket.
    public var port: Int? {
        if case .ip(_, let port) = self { port } else { nil }
    }

    /// The path of a Unix domain socket; nil for other addresses.
    public var path: String? {
        if case .unix(let path) = self { path } else { nil }
    }
}

extension NetworkAddress: CustomStringConvertible {
    /// The address in the syntax of `Target`: `127.0.0.1:50051`, `[::1]:50051`, `unix:/run/sum.sock`.
    public var description: String {
        switch self {
        case .ip(let host, let port): HostAndPort.describe(host, port: port)
        case .unix(let path): WrittenAddress.describe(unixPath: path)
        }
    }
}

extension Peer {
    /// `address` as a value; nil if it is neither an IP address with a port nor a Unix domain socket.
    public var networkAddress: NetworkAddress? { NetworkAddress(address) }
}
