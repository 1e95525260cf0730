internal import NIOCore

/// One address of a target: what one subchannel connects to.
struct ServerAddress: Hashable, Sendable, CustomStringConvertible {
    /// Where the socket is connected to.
    var socketAddress: SocketAddress
    /// The address in the syntax of `Target`.
    var description: String
    /// The server that is reached through a proxy at `socketAddress`; nil if the server itself is there.
    var tunnel: Tunnel?
    /// The host as the target names it, which the server's certificate must be for; nil if that does not matter.
    var host: String?

    static func == (one: ServerAddress, other: ServerAddress) -> Bool {
        one.socketAddress == other.socketAddress && one.tunnel == other.tunnel && one.host == other.host
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(socketAddress)
        hasher.combine(tunnel)
        hasher.combine(host)
    }
}

extension [ServerAddress] {
    /// The addresses without repetitions, IPv6 and IPv4 in turn, beginning with the family of the first. The order
    /// within a family is kept (RFC 8305 section 4, grpc/proposal A61).
    var interleaved: [ServerAddress] {
        guard count > 1 else { return self }
        var seen: Set<ServerAddress> = []
        let addresses = filter { seen.insert($0).inserted }
        let first = addresses.filter { $0.socketAddress.protocol == addresses[0].socketAddress.protocol }
        let others = addresses.filter { $0.socketAddress.protocol != addresses[0].socketAddress.protocol }
        return (0..<Swift.max(first.count, others.count)).flatMap { index in
            [first, others].compactMap { index < $0.count ? $0[index] : nil }
        }
    }
}
