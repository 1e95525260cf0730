extension ProxySetting {
    func route(
        to endpoint: Target.Endpoint, environment: [String: String], source: String = "the configuration"
    ) throws(InvalidAddress) -> Route {
        switch endpoint {
        case .host(let host, let port):
            try route(to: host, port: port, environment: environment, source: source)
        case .unix:
            try route(to: nil, environment: environment, source: source)
        }
    }

    /// Describes for people how a client gets to a target, with the reason. Empty if nobody has mentioned a proxy, or
    /// if the client will fail because the proxy in the environment is invalid.
    ///
    /// - Parameter source: the name of what this setting comes from, such as `--proxy`.
    package func explanation(for target: Target, source: String) -> [String] {
        let environment = Self.environment()
        var lines: [String] = []
        for endpoint in target.endpoints {
            guard let route = try? route(to: endpoint, environment: environment, source: source) else {
                continue
            }
            let line = "\(Target.describe(endpoint)) is reached \(route)"
            if route != .direct(because: nil) { lines.append(line) }
        }
        return lines
    }
}
