/// A way through a proxy to a server.
struct Tunnel: Hashable, Sendable {
    var proxy: HTTPProxy
    /// The server's name or address, which the proxy resolves, without brackets and zone.
    var host: String
    var port: Int

    /// The server as it is named to the proxy: `sum:50051`, `[2001:db8::1]:50051`.
    var target: String { HostAndPort.describe(host, port: port) }

    /// Words for the failure to reach the proxy.
    func proxyFailure(_ reason: String) -> String { "proxy \(proxy): \(reason)" }

    /// Words for a failure of the server behind the proxy.
    func serverFailure(_ reason: String) -> String { "through proxy \(proxy): \(reason)" }
}

extension ConnectFailure {
    /// The same failure, of a server behind the proxy.
    func behind(_ tunnel: Tunnel?) -> ConnectFailure {
        ConnectFailure(
            description: tunnel?.serverFailure(description) ?? description, isTemporary: isTemporary)
    }
}
