internal import Dispatch
internal import NIOCore

/// Finds the addresses of a target ("name resolver", grpc/doc/naming.md).
protocol Resolver: Sendable {
    /// Whether the answer is always the same.
    var isStatic: Bool { get }
    /// Finds the addresses. Never blocks its thread.
    func resolve() async -> Resolution
}

/// Resolves the endpoints of a `Target`: names by the system's resolver, everything else without asking anybody. Instead
/// of a server behind a proxy, the proxy is resolved.
struct TargetResolver: Resolver {
    let target: Target
    let proxy: ProxySetting
    /// Whether one address that two hosts of the target have counts as two, since certificates name hosts.
    let distinguishesHosts: Bool
    private let environment = ProxySetting.environment()

    init(target: Target, proxy: ProxySetting, distinguishesHosts: Bool = false) {
        (self.target, self.proxy, self.distinguishesHosts) = (target, proxy, distinguishesHosts)
    }

    var isStatic: Bool {
        target.endpoints.allSatisfy { endpoint in
            guard case .host(let host, let port) = endpoint else { return true }
            do throws(ConnectFailure) {
                let proxy = try tunnel(to: endpoint)?.proxy
                return Self.literal(proxy?.host ?? host, proxy?.port ?? port) != nil
            } catch {
                // A proxy that is invalid remains so.
                return true
            }
        }
    }

    /// All names are looked up at once. One that cannot be resolved does not keep the others from being used.
    func resolve() async -> Resolution {
        if target.endpoints.count == 1 { return await resolve(target.endpoints[0]) }
        let results = await withTaskGroup { group in
            for (index, endpoint) in target.endpoints.enumerated() {
                group.addTask { (index, await resolve(endpoint)) }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        return target.endpoints.indices.compactMap { results[$0] }.reduce(into: Resolution()) { $0.add($1) }
    }

    private func resolve(_ endpoint: Target.Endpoint) async -> Resolution {
        do throws(ConnectFailure) {
            var addresses =
                if let tunnel = try tunnel(to: endpoint) {
                    try await Self.addresses(through: tunnel)
                } else {
                    try await Self.addresses(of: endpoint)
                }
            if distinguishesHosts {
                let host = target.host(of: endpoint)
                for index in addresses.indices { addresses[index].host = host }
            }
            return Resolution(addresses: addresses)
        } catch {
            return Resolution(failure: error)
        }
    }

    private func tunnel(to endpoint: Target.Endpoint) throws(ConnectFailure) -> Tunnel? {
        do throws(InvalidAddress) {
            return try proxy.route(to: endpoint, environment: environment).tunnel
        } catch {
            throw ConnectFailure(description: error.description)
        }
    }

    private static func addresses(through tunnel: Tunnel) async throws(ConnectFailure) -> [ServerAddress] {
        let addresses: [SocketAddress]
        do throws(ConnectFailure) {
            addresses = try await find(tunnel.proxy.host, tunnel.proxy.port)
        } catch {
            throw ConnectFailure(
                description: tunnel.proxyFailure(error.description), isTemporary: error.isTemporary)
        }
        return addresses.map { address in
            let isOnly = addresses.count == 1
            return ServerAddress(
                socketAddress: address,
                description: isOnly ? tunnel.target : "\(tunnel.target) through \(address.text)",
                tunnel: tunnel)
        }
    }

    private static func addresses(of endpoint: Target.Endpoint) async throws(ConnectFailure)
        -> [ServerAddress]
    {
        switch endpoint {
        case .unix(let path):
            do {
                let address = try SocketAddress(unixPath: path)
                return [ServerAddress(socketAddress: address, description: Target.describe(endpoint))]
            } catch {
                throw ConnectFailure(description: error.description)
            }
        case .host(let host, let port):
            return try await find(host, port).map {
                ServerAddress(socketAddress: $0, description: $0.text)
            }
        }
    }

    private static func literal(_ host: String, _ port: Int) -> [SocketAddress]? {
        try? NameLookup.addresses(of: host, port: port, numericOnly: true)
    }

    private static func find(_ host: String, _ port: Int) async throws(ConnectFailure) -> [SocketAddress] {
        if let literal = literal(host, port) { return literal }
        return try await lookUp(host, port)
    }

    /// Asks the system on a thread that may block. A lookup cannot be cancelled: one that hangs keeps its thread, and
    /// does not hold up others.
    private static func lookUp(_ host: String, _ port: Int) async throws(ConnectFailure) -> [SocketAddress] {
        let result: Result<[SocketAddress], NameLookup.Failure> = await withCheckedContinuation {
            continuation in
            DispatchQueue.global().async {
                let result = Result { () throws(NameLookup.Failure) in
                    try NameLookup.addresses(of: host, port: port, numericOnly: false)
                }
                continuation.resume(returning: result)
            }
        }
        do {
            return try result.get()
        } catch {
            throw ConnectFailure(
                description: FailureText.unresolved(host), isTemporary: error.isTemporary)
        }
    }
}

extension Target {
    /// The addresses of the target, each a target of its own, in the order in which they are tried. Requests to them name
    /// the server as requests to this target do (`:authority`). A server behind a proxy is one address, since it is the
    /// proxy that resolves its name.
    ///
    /// - Parameters:
    ///   - proxy: as in the client's configuration.
    ///   - usesTLS: whether the servers are reached by TLS, whose certificates must be for the hosts of this target, not for
    ///     the addresses.
    /// - Throws: UNAVAILABLE if there are none. A name that cannot be resolved does not matter if there are others.
    public func addresses(
        proxy: ProxySetting = .fromEnvironment, usesTLS: Bool = false
    ) async throws(GRPCStatus) -> [Target] {
        let resolution = await TargetResolver(target: self, proxy: proxy, distinguishesHosts: usesTLS)
            .resolve()
        guard !resolution.addresses.isEmpty else {
            let reason = resolution.failure ?? .noAddresses
            throw GRPCStatus(code: .unavailable, message: "cannot connect to \(self): \(reason)")
        }
        var seen: Set<Endpoint> = []
        return resolution.addresses.interleaved.filter { seen.insert($0.endpoint).inserted }.map { address in
            Target(
                description: address.tunnel?.target ?? address.description,
                endpoints: [address.endpoint], authority: authority, host: address.host)
        }
    }
}

extension ServerAddress {
    fileprivate var endpoint: Target.Endpoint {
        if let tunnel { return .host(tunnel.host, port: tunnel.port) }
        if case .unixDomainSocket = socketAddress { return .unix(path: socketAddress.pathname ?? "") }
        return .host(socketAddress.numericHost ?? "", port: socketAddress.port ?? 0)
    }
}
