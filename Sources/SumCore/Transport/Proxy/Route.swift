/// How a client reaches a host: directly or through a proxy, and why.
enum Route: Equatable {
    /// - because: for people; nil if nobody has mentioned a proxy.
    case direct(because: String?)
    /// - source: where the proxy was named, for people.
    case tunnel(Tunnel, source: String)

    var tunnel: Tunnel? {
        if case .tunnel(let tunnel, _) = self { tunnel } else { nil }
    }
}

extension Route: CustomStringConvertible {
    /// Such as `through proxy http://p:3128 (from https_proxy)`; empty if nobody has mentioned a proxy.
    var description: String {
        switch self {
        case .direct(nil): ""
        case .direct(let reason?): "directly: \(reason)"
        case .tunnel(let tunnel, let source): "through proxy \(tunnel.proxy) (from \(source))"
        }
    }
}
