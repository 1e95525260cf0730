/// Whether a client goes through an HTTP proxy.
public enum ProxySetting: Hashable, Sendable {
    /// As the environment says, as in all clients of gRPC.
    ///
    /// The proxy is in the first of `grpc_proxy`, `https_proxy` and `HTTPS_PROXY` that is not empty; `http_proxy` does
    /// not count, because it is often set for other programs. The hosts that are reached directly are in the first of
    /// `no_grpc_proxy`, `no_proxy` and `NO_PROXY` that is not empty, with Go's rules. `localhost`, its subdomains,
    /// loopback addresses and Unix domain sockets are always reached directly.
    case fromEnvironment
    /// Directly, whatever the environment says.
    case none
    /// Through this proxy to every host, `localhost` too; Unix domain sockets are reached directly.
    case through(HTTPProxy)
}

extension ProxySetting {
    private static let proxyVariables = ["grpc_proxy", "https_proxy", "HTTPS_PROXY"]
    private static let exceptionVariables = ["no_grpc_proxy", "no_proxy", "NO_PROXY"]

    /// The variables of this process that name proxies and exceptions, unless they are empty.
    static func environment() -> [String: String] {
        var found: [String: String] = [:]
        for name in proxyVariables + exceptionVariables {
            found[name] = Environment.value(name)
        }
        return found
    }

    /// Finds the way to a server.
    ///
    /// - Parameters:
    ///   - host: a name or an address, without brackets; nil for a Unix domain socket.
    ///   - environment: see `environment()`.
    ///   - source: what people are told has named the proxy, if the environment has not.
    /// - Throws: `InvalidAddress` if the proxy in the environment would be used, but is not a valid URL.
    func route(
        to host: String?, port: Int = 0, environment: [String: String],
        source: String = "the configuration"
    ) throws(InvalidAddress) -> Route {
        switch self {
        case .none:
            return .direct(because: "\(source) says so")
        case .through(let proxy):
            guard let host else { return .direct(because: Self.unixReason) }
            return .tunnel(Self.tunnel(proxy, host, port), source: source)
        case .fromEnvironment:
            guard let (variable, url) = Self.first(of: Self.proxyVariables, in: environment) else {
                return .direct(because: nil)
            }
            guard let host else { return .direct(because: Self.unixReason) }
            if let reason = Self.exception(host, port, variable, environment) {
                return .direct(because: reason)
            }
            do throws(InvalidAddress) {
                return .tunnel(Self.tunnel(try HTTPProxy(url), host, port), source: variable)
            } catch {
                throw InvalidAddress(
                    description:
                        "the proxy in the environment variable \(variable) is invalid: \(error.description)")
            }
        }
    }

    private static let unixReason = "a Unix domain socket needs no proxy"

    private static func first(
        of names: [String], in environment: [String: String]
    ) -> (name: String, value: String)? {
        for name in names {
            if let value = environment[name], !value.isEmpty { return (name, value) }
        }
        return nil
    }

    private static func exception(
        _ host: String, _ port: Int, _ variable: String, _ environment: [String: String]
    ) -> String? {
        guard !isLocal(host) else { return "\(variable) does not apply to this machine itself" }
        guard let (name, list) = first(of: exceptionVariables, in: environment) else { return nil }
        return ProxyExceptions(list).entry(for: host, port: port).map { "\(name) lists '\($0)'" }
    }

    /// RFC 6761 section 6.3 for the names.
    private static func isLocal(_ host: String) -> Bool {
        let name = host.lowercased().withoutLastDot
        return name == "localhost" || name.hasSuffix(".localhost") || IPAddress(host)?.isLoopback == true
    }

    private static func tunnel(_ proxy: HTTPProxy, _ host: String, _ port: Int) -> Tunnel {
        Tunnel(proxy: proxy, host: HostAndPort(host: host, port: port).withoutZone.host, port: port)
    }
}
