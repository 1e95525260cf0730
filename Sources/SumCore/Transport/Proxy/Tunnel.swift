/// A way through a proxy to a server.
struct Tunnel: Equatable, Sendable {
    var proxy: HTTPProxy
    /// The server's name or address, which the proxy resolves, without brackets and zone.
    var host: String
    var port: Int

    /// The server as it is named to the proxy: `sum:50051`, `[2001:db8::1]:50051`.
    var target: String { HostAndPort.describe(host, port: port) }

    /// A failure of the server, in words that say that there is a proxy before it.
    func describe(_ failure: String) -> String {
        "through proxy \(proxy): \(failure)"
    }
}

extension ConnectFailure {
    /// The same failure, of a server behind the proxy.
    func behind(_ tunnel: Tunnel?) -> ConnectFailure {
        ConnectFailure(description: tunnel?.describe(description) ?? description, isTemporary: isTemporary)
    }
}
