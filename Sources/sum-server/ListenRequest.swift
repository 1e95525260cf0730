import SumCore

/// Where to listen, as the operator says it.
enum ListenRequest: Hashable, Sendable {
    case address(ListenAddress)
    /// The sockets that systemd passes; if a name is given, only those of that name.
    case systemd(name: String?)

    /// Parses an address, `systemd` or `systemd:NAME`. A name that is a number is the port of a host.
    init(_ text: String) throws(InvalidAddress) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.first == "systemd", parts.count == 1 || UInt16(parts[1]) == nil else {
            self = .address(try ListenAddress(text))
            return
        }
        self = .systemd(name: parts.count == 1 ? nil : String(parts[1]))
    }

    /// Whether it may be something else than a Unix domain socket.
    var mayBeTCP: Bool {
        if case .address(let address) = self { !address.isUnix } else { true }
    }
}

/// Brings together where the operator wants to listen, and what systemd has opened.
enum ListenPlan {
    /// The names of sockets for the operator's own listeners, which gRPC's callers must not reach.
    static let reservedNames: Set<String> = ["metrics", "admin"]

    struct Failure: Error, Hashable, CustomStringConvertible {
        let description: String
    }

    /// - Parameters:
    ///   - requests: empty if the operator has said nothing.
    ///   - sockets: those that systemd has passed.
    /// - Returns: at least one address.
    static func addresses(
        for requests: [ListenRequest], sockets: [ActivatedSocket]
    ) throws(Failure) -> [ListenAddress] {
        let sockets = sockets.filter { !reservedNames.contains($0.name) }
        guard !requests.isEmpty else {
            return sockets.isEmpty
                ? [.allInterfaces(port: Target.defaultPort)] : sockets.map(ListenAddress.inherited)
        }
        var unused = sockets
        var addresses: [ListenAddress] = []
        for request in requests {
            switch request {
            case .address(let address): addresses.append(address)
            case .systemd(let name):
                let chosen = unused.filter { name == nil || $0.name == name }
                guard !chosen.isEmpty else { throw missing(name, sockets) }
                unused.removeAll(where: chosen.contains)
                addresses += chosen.map(ListenAddress.inherited)
            }
        }
        guard unused.isEmpty else {
            // Clients would wait in its queue for ever.
            throw Failure(
                description:
                    "systemd has passed \(names(of: unused)), which no --listen uses: add --listen systemd, or "
                    + "do without the socket's unit")
        }
        return addresses
    }

    private static func missing(_ name: String?, _ sockets: [ActivatedSocket]) -> Failure {
        let wanted = name.map { "--listen systemd:\($0)" } ?? "--listen systemd"
        return Failure(
            description: sockets.isEmpty
                ? "\(wanted): systemd has passed no socket; is the socket's unit started?"
                : "\(wanted): systemd has passed \(names(of: sockets)), and nothing else is left")
    }

    private static func names(of sockets: [ActivatedSocket]) -> String {
        sockets.map { "'\($0.name)'" }.joined(separator: ", ")
    }
}

extension ListenAddress {
    fileprivate static func inherited(_ socket: ActivatedSocket) -> ListenAddress {
        .inherited(descriptor: socket.descriptor, isUnix: socket.isUnix)
    }
}
