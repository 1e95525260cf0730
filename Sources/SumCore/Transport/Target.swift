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

    /// Why a target cannot be used.
    public struct Invalid: Error, CustomStringConvertible {
        public var description: String
    }

    private init(description: String, endpoints: [Endpoint], authority: String) {
        self.description = description
        self.endpoints = endpoints
        self.authority = authority
    }

    /// Reads `HOST[:PORT]`, `dns:///HOST[:PORT]`, `ipv4:ADDRESS:PORT`, `ipv6:[ADDRESS]:PORT` (several of these
    /// with commas between them), or `unix:PATH`.
    ///
    /// - Throws: `Invalid` when `text` is none of these.
    public init(_ text: String) throws(Invalid) {
        description = text
        if let path = text.removingPrefix("unix:") {
            let path = path.removingPrefix("//") ?? path
            guard !path.isEmpty else { throw Invalid(description: "the target '\(text)' names no path") }
            endpoints = [.unix(path: path)]
            authority = "localhost"
        } else if let list = text.removingPrefix("ipv4:") ?? text.removingPrefix("ipv6:") {
            endpoints = try list.split(separator: ",", omittingEmptySubsequences: false)
                .map { part throws(Invalid) in try Self.endpoint(String(part), in: text) }
            authority = list.split(separator: ",").first.map(String.init) ?? ""
        } else {
            guard let name = Self.name(in: text) else {
                throw Invalid(description: "the target '\(text)' names a DNS server, which is not supported")
            }
            let endpoint = try Self.endpoint(name, in: text)
            endpoints = [endpoint]
            authority = Self.describe(endpoint)
        }
    }

    /// What follows `dns:` or `dns:///`; nil when a DNS server stands between the slashes.
    private static func name(in text: String) -> String? {
        guard let name = text.removingPrefix("dns:") else { return text }
        guard name.hasPrefix("//") else { return name }
        return name.removingPrefix("///")
    }

    private static func endpoint(_ text: String, in target: String) throws(Invalid) -> Endpoint {
        guard let (host, port) = HostAndPort.parse(text), !host.isEmpty, port != 0,
            !host.contains(where: { $0 == "/" || $0 == " " })
        else {
            throw Invalid(
                description:
                    "the target '\(target)' is not HOST:PORT, dns:///HOST:PORT, ipv4:A:P, ipv6:[A]:P or unix:PATH"
            )
        }
        return .host(host, port: port ?? defaultPort)
    }

    static func describe(_ endpoint: Endpoint) -> String {
        switch endpoint {
        case .host(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}

extension String {
    fileprivate func removingPrefix(_ prefix: String) -> String? {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
    }
}
