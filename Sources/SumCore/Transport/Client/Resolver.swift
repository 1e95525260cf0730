internal import Dispatch
internal import NIOCore

/// Finds the addresses of a target ("name resolver", grpc/doc/naming.md).
protocol Resolver: Sendable {
    /// Whether the answer is always the same.
    var isStatic: Bool { get }
    /// Returns the addresses in the order in which they are to be tried, or why there are none. Never blocks its thread.
    func addresses() async -> Result<[ServerAddress], ConnectFailure>
}

/// Resolves the endpoints of a `Target`: names by the system's resolver, everything else without asking anybody. Instead
/// of a server behind a proxy, the proxy is resolved.
struct TargetResolver: Resolver {
    let target: Target
    let proxy: ProxySetting
    private let environment = ProxySetting.environment()

    init(target: Target, proxy: ProxySetting) {
        (self.target, self.proxy) = (target, proxy)
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

    func addresses() async -> Result<[ServerAddress], ConnectFailure> {
        var addresses: [ServerAddress] = []
        for endpoint in target.endpoints {
            do throws(ConnectFailure) {
                if let tunnel = try tunnel(to: endpoint) {
                    addresses += try await Self.addresses(through: tunnel)
                } else {
                    addresses += try await Self.addresses(of: endpoint)
                }
            } catch {
                return .failure(error)
            }
        }
        return .success(addresses)
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
    /// - Throws: UNAVAILABLE if a name cannot be resolved.
    public func addresses(proxy: ProxySetting = .fromEnvironment) async throws(GRPCStatus) -> [Target] {
        do throws(ConnectFailure) {
            let addresses = try await TargetResolver(target: self, proxy: proxy).addresses().get()
            var seen: Set<Endpoint> = []
            return addresses.interleaved.filter { seen.insert($0.endpoint).inserted }.map { address in
                Target(
                    description: address.tunnel?.target ?? address.description,
                    endpoints: [address.endpoint], authority: authority)
            }
        } catch {
            throw GRPCStatus(code: .unavailable, message: "cannot connect to \(self): \(error)")
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
