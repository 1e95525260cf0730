/// A server address in gRPC's notation (grpc/doc/naming.md).
public struct Target: Hashable, Sendable, CustomStringConvertible {
    enum Endpoint: Hashable, Sendable {
        /// A name or an address; a name may resolve to several addresses.
        case host(String, port: Int)
        case unix(path: String)
    }

    /// The port of a target that names none.
    public static let defaultPort = 50051

    /// `localhost` at the default port.
    public static let `default` = Target(
        description: "localhost:\(defaultPort)", endpoints: [.host("localhost", port: defaultPort)],
        authority: "localhost:\(defaultPort)")

    /// The target as written.
    public let description: String
    /// Tried in this order.
    let endpoints: [Endpoint]
    /// The name of the server in requests (`:authority`).
    let authority: String
    /// The host that certificates must be for, if it is not that of the endpoint.
    let host: String?

    /// The target as a URI: what was written, with the scheme that it has by default.
    var uri: String {
        let schemes = ["dns:", "ipv4:", "ipv6:", "unix:"]
        return schemes.contains { description.hasPrefix($0) } ? description : "dns:///\(description)"
    }

    /// Whether all its addresses are Unix domain sockets.
    package var isUnix: Bool { endpoints.allSatisfy { if case .unix = $0 { true } else { false } } }

    init(description: String, endpoints: [Endpoint], authority: String, host: String? = nil) {
        self.description = description
        self.endpoints = endpoints
        self.authority = authority
        self.host = host
    }

    /// Parses `HOST[:PORT]`, `dns:///HOST[:PORT]`, `ipv4:ADDRESS[:PORT]`, `ipv6:[ADDRESS]:PORT` (the last two also as
    /// lists separated by commas), `unix:PATH` or `unix:///PATH`.
    ///
    /// - Throws: `InvalidAddress` if `text` is none of these.
    public init(_ text: String) throws(InvalidAddress) {
        try self.init(text, defaultPort: Self.defaultPort)
    }

    /// - Parameter defaultPort: the port of hosts that name none.
    package init(_ text: String, defaultPort: Int) throws(InvalidAddress) {
        description = text
        host = nil
        switch try WrittenAddress(text, called: "target") {
        case .unix(let path):
            endpoints = [.unix(path: path)]
            authority = "localhost"
        case .hosts(let hosts):
            for host in hosts {
                if let fault = Self.fault(host) {
                    throw InvalidAddress(
                        description:
                            "the target '\(text)' \(WrittenAddress.notAnAddress(fault).description)")
                }
            }
            endpoints = hosts.map { .host($0.host, port: $0.port ?? defaultPort) }
            authority = hosts.first.map { Self.authority($0, defaultPort) } ?? ""
        }
    }

    /// Creates a target of one address, such as one of `GRPCServer.addresses`.
    public init(_ address: NetworkAddress) {
        switch address {
        case .ip(let host, let port):
            let authority = Self.authority(HostAndPort(host: host, port: port), port)
            self.init(
                description: address.description, endpoints: [.host(host, port: port)], authority: authority)
        case .unix(let path):
            self.init(
                description: address.description, endpoints: [.unix(path: path)], authority: "localhost")
        }
    }

    /// Creates a target that has the addresses of all `targets`, in this order. Requests name the server as the first of
    /// them does.
    ///
    /// - Returns: nil if there are none.
    public init?(anyOf targets: [Target]) {
        guard let first = targets.first else { return nil }
        guard targets.count > 1 else {
            self = first
            return
        }
        self.init(
            description: targets.map(\.description).joined(separator: ", "),
            endpoints: targets.flatMap(\.endpoints), authority: first.authority)
    }

    /// Why a client cannot connect to such an address, even though a server might listen on it.
    private static func fault(_ host: HostAndPort) -> String? {
        if host.host.isEmpty { return "there is no host" }
        if host.host == "*" { return "'*' stands for all addresses of a server" }
        if host.port == 0 { return "no server has port 0" }
        return host.host.contains { $0 == "/" || $0 == " " } ? "'\(host.host)' is not a host" : nil
    }

    private static func authority(_ host: HostAndPort, _ defaultPort: Int) -> String {
        HostAndPort.describe(host.withoutZone.host, port: host.port ?? defaultPort)
    }

    /// The host that the certificate of a server at `endpoint` must be for.
    func host(of endpoint: Endpoint) -> String {
        if let host { return host }
        return switch endpoint {
        case .host(let host, let port): HostAndPort(host: host, port: port).withoutZone.host
        case .unix: "localhost"
        }
    }

    static func describe(_ endpoint: Endpoint) -> String {
        switch endpoint {
        case .host(let host, let port): HostAndPort.describe(host, port: port)
        case .unix(let path): WrittenAddress.describe(unixPath: path)
        }
    }
}
