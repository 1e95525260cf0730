internal import NIOCore

extension SocketAddress {
    /// The address as text: `127.0.0.1:50051`, `[::1]:50051`, `[fe80::1%eth0]:50051`, `unix:/run/sum.sock`.
    var text: String {
        if case .unixDomainSocket = self { return WrittenAddress.describe(unixPath: pathname ?? "") }
        let ip = numericHost ?? "?"
        let port = port ?? 0
        // An IPv6 socket shows IPv4 peers as IPv4-mapped addresses (RFC 4291 section 2.5.5.2).
        let mapped = "::ffff:"
        if ip.hasPrefix(mapped), ip.contains(".") { return "\(ip.dropFirst(mapped.count)):\(port)" }
        return HostAndPort.describe(ip, port: port)
    }
}
