/// The server a client connects to, as gRPC names it (grpc/doc/naming.md).
public struct Target: Hashable, Sendable, CustomStringConvertible {
    enum Endpoint: Hashable, Sendable {
        /// A name or an address; a name may stand for several addresses.
        case host(String, port: Int)
        case unix(path: String)
    }

    /// The port where a target names none.
    public static let defaultPort = 50051

    /// `localhost` at the default port.
    public static let `default` = Target(
        description: "localhost:\(defaultPort)", endpoints: [.host("localhost", port: defaultPort)],
        authority: "localhost:\(defaultPort)")

    /// The target as it was written.
    public let description: String
    /// Tried in this order.
    let endpoints: [Endpoint]
    /// What the request calls the server (`:authority`).
    let authority: String

    private init(description: String, endpoints: [Endpoint], authority: String) {
        self.description = description
        self.endpoints = endpoints
        self.authority = authority
    }

    /// Reads `HOST[:PORT]`, `dns:///HOST[:PORT]`, `ipv4:ADDRESS[:PORT]`, `ipv6:[ADDRESS]:PORT` (several of these with
    /// commas between them), `unix:PATH` or `unix:///PATH`.
    ///
    /// - Throws: `InvalidAddress` when `text` is none of these.
    public init(_ text: String) throws(InvalidAddress) {
        description = text
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
            endpoints = hosts.map { .host($0.host, port: $0.port ?? Self.defaultPort) }
            authority = hosts.first.map(Self.authority) ?? ""
        }
    }

    /// Why there can be no such server, though one might listen there.
    private static func fault(_ host: HostAndPort) -> String? {
        if host.host.isEmpty { return "there is no host" }
        if host.host == "*" { return "'*' stands for all addresses of a server" }
        if host.port == 0 { return "no server has port 0" }
        return host.host.contains { $0 == "/" || $0 == " " } ? "'\(host.host)' is not a host" : nil
    }

    private static func authority(_ host: HostAndPort) -> String {
        HostAndPort.describe(host.withoutZone.host, port: host.port ?? defaultPort)
    }

    static func describe(_ endpoint: Endpoint) -> String {
        switch endpoint {
        case .host(let host, let port): HostAndPort.describe(host, port: port)
        case .unix(let path): WrittenAddress.describe(unixPath: path)
        }
    }
}
