import NIOCore

@testable import SumCore

extension ServerAddress {
    /// An address for tests of policies: host `n` of 127.0.0.0/8, or, with `v6`, of an IPv6 network.
    static func host(_ n: Int, v6: Bool = false) throws -> ServerAddress {
        let address = try SocketAddress(ipAddress: v6 ? "2001:db8::\(n)" : "127.0.0.\(n)", port: 50051)
        return ServerAddress(socketAddress: address, description: address.text)
    }
}

extension NIODeadline {
    /// So many milliseconds after a moment that tests of the clock begin with.
    static func at(_ milliseconds: Int64) -> NIODeadline {
        .uptimeNanoseconds(1 << 40) + .milliseconds(milliseconds)
    }
}
