internal import NIOCore

/// Where a server listens.
public enum ListenAddress: Hashable, Sendable {
    /// A name or address and a port; port 0 lets the system choose one.
    case host(String, port: Int)
    /// Every interface, on both IPv4 and IPv6.
    case allInterfaces(port: Int)
    /// A Unix domain socket.
    case unix(path: String)

    /// Reads `HOST:PORT`, `[IPV6]:PORT`, `:PORT` or `unix:PATH`.
    ///
    /// - Returns: nil when `text` is none of these, or the port is not one of 0 to 65535.
    public init?(_ text: String) {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst("unix:".count))
            guard !path.isEmpty else { return nil }
            self = .unix(path: path)
            return
        }
        guard let (host, port) = HostAndPort.parse(text), let port else { return nil }
        self = host.isEmpty ? .allInterfaces(port: port) : .host(host, port: port)
    }

    /// An address as users write it: `127.0.0.1:50051`, `[::1]:50051`, `unix:/run/sum.sock`.
    static func describe(_ address: SocketAddress) -> String {
        if case .unixDomainSocket = address { return "unix:\(address.pathname ?? "")" }
        let ip = address.ipAddress ?? "?"
        let port = address.port ?? 0
        // How an IPv6 socket shows a peer that came by IPv4 (RFC 4291 section 2.5.5.2).
        let mapped = "::ffff:"
        if ip.hasPrefix(mapped), ip.contains(".") { return "\(ip.dropFirst(mapped.count)):\(port)" }
        return ip.contains(":") ? "[\(ip)]:\(port)" : "\(ip):\(port)"
    }
}

extension ListenAddress: CustomStringConvertible {
    public var description: String {
        switch self {
        case .host(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .allInterfaces(let port): "port \(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}

enum HostAndPort {
    /// Splits `host`, `host:port`, `[ipv6]` or `[ipv6]:port`; a bare IPv6 address has no port.
    ///
    /// - Returns: nil when the brackets do not match or the port is not one of 0 to 65535.
    static func parse(_ text: String) -> (host: String, port: Int?)? {
        // By bytes: some characters of Unicode join with the one after them.
        let colon = UInt8(ascii: ":")
        if text.utf8.first == UInt8(ascii: "[") {
            guard let close = text.utf8.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            let host = String(text[text.utf8.index(after: text.startIndex)..<close])
            let rest = text[text.utf8.index(after: close)...]
            guard isIPv6(host) else { return nil }
            if rest.isEmpty { return (host, nil) }
            guard rest.utf8.first == colon, let port = port(rest.utf8.dropFirst()) else { return nil }
            return (host, port)
        }
        guard let last = text.utf8.lastIndex(of: colon) else { return (text, nil) }
        guard text.utf8.firstIndex(of: colon) == last else {
            return isIPv6(text) ? (text, nil) : nil
        }
        guard let port = port(text.utf8[last...].dropFirst()) else { return nil }
        return (String(text[..<last]), port)
    }

    /// Whether the text may be an IPv6 address, perhaps with a zone (RFC 4007 section 11).
    private static func isIPv6(_ text: String) -> Bool {
        let address = text.utf8.prefix { $0 != UInt8(ascii: "%") }
        let zone = text.utf8.dropFirst(address.count)
        return address.contains(UInt8(ascii: ":")) && !zone.contains(UInt8(ascii: "]"))
            && address.allSatisfy { "0123456789abcdefABCDEF:.".utf8.contains($0) }
    }

    private static func port(_ text: Substring.UTF8View) -> Int? {
        guard !text.isEmpty, text.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            return nil
        }
        return Int(Substring(text)).flatMap { (0...65535).contains($0) ? $0 : nil }
    }
}
