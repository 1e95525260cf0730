internal import Dispatch
internal import NIOCore

/// Finds the addresses of a target ("name resolver", grpc/doc/naming.md).
protocol Resolver: Sendable {
    /// Whether the answer is always the same.
    var isStatic: Bool { get }
    /// Returns the addresses in the order in which they are to be tried, or why there are none. Never blocks its thread.
    func addresses() async -> Result<[ServerAddress], ConnectFailure>
}

/// Resolves the endpoints of a `Target`: names by the system's resolver, everything else without asking anybody.
struct TargetResolver: Resolver {
    let target: Target

    var isStatic: Bool {
        target.endpoints.allSatisfy { endpoint in
            switch endpoint {
            case .unix: true
            case .host(let host, let port):
                (try? NameLookup.addresses(of: host, port: port, numericOnly: true)) != nil
            }
        }
    }

    func addresses() async -> Result<[ServerAddress], ConnectFailure> {
        var addresses: [ServerAddress] = []
        for endpoint in target.endpoints {
            do throws(ConnectFailure) {
                addresses += try await Self.addresses(of: endpoint)
            } catch {
                return .failure(error)
            }
        }
        return .success(addresses)
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
            let addresses: [SocketAddress]
            if let literal = try? NameLookup.addresses(of: host, port: port, numericOnly: true) {
                addresses = literal
            } else {
                addresses = try await lookUp(host, port)
            }
            return addresses.map { ServerAddress(socketAddress: $0, description: $0.text) }
        }
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
    /// the server as requests to this target do (`:authority`).
    ///
    /// - Throws: UNAVAILABLE if a name cannot be resolved.
    public func addresses() async throws(GRPCStatus) -> [Target] {
        do throws(ConnectFailure) {
            return try await TargetResolver(target: self).addresses().get().interleaved.map { address in
                Target(description: address.description, endpoints: [address.endpoint], authority: authority)
            }
        } catch {
            throw GRPCStatus(code: .unavailable, message: "cannot connect to \(self): \(error)")
        }
    }
}

extension ServerAddress {
    fileprivate var endpoint: Target.Endpoint {
        if case .unixDomainSocket = socketAddress { return .unix(path: socketAddress.pathname ?? "") }
        return .host(socketAddress.numericHost ?? "", port: socketAddress.port ?? 0)
    }
}
