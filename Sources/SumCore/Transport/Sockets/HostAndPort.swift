/// A host name or an IP address with an optional port: `h`, `h:1`, `[::1]`, `[fe80::1%eth0]:1`, `::1`, `:1`.
struct HostAndPort: Hashable {
    /// The host, without the brackets of an IPv6 address. Empty if there is only a port.
    var host: String
    var port: Int?

    init(host: String, port: Int?) {
        (self.host, self.port) = (host, port)
    }

    /// Parses a text. A colon outside brackets ends the host, but several are an IPv6 address without a port.
    init(_ text: String) throws(InvalidAddress) {
        // Compares bytes, because a combining mark would be part of the character before it.
        let colon = UInt8(ascii: ":")
        if text.utf8.first == UInt8(ascii: "[") {
            guard let close = text.utf8.firstIndex(of: UInt8(ascii: "]")) else {
                throw InvalidAddress(description: "a bracket is not closed")
            }
            host = String(text[text.utf8.index(after: text.startIndex)..<close])
            guard isIPv6 else { throw InvalidAddress(description: "'\(host)' is not an IPv6 address") }
            let rest = text[text.utf8.index(after: close)...]
            guard !rest.isEmpty else { return }
            guard rest.utf8.first == colon else {
                throw InvalidAddress(description: "'\(rest)' after the brackets is not a port")
            }
            port = try Self.port(rest.utf8.dropFirst())
        } else if let last = text.utf8.lastIndex(of: colon), text.utf8.firstIndex(of: colon) == last {
            host = String(text[..<last])
            port = try Self.port(text.utf8[last...].dropFirst())
        } else {
            host = text
            guard !text.utf8.contains(colon) || isIPv6 else {
                throw InvalidAddress(description: "'\(text)' is not an IPv6 address")
            }
        }
    }

    private static func port(_ text: Substring.UTF8View) throws(InvalidAddress) -> Int {
        guard !text.isEmpty, text.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let port = Int(Substring(text)), port <= 65535
        else {
            throw InvalidAddress(description: "'\(Substring(text))' is not a port number, 0 to 65535")
        }
        return port
    }

    /// Whether the host looks like an IPv6 address, with or without a zone (RFC 4007 section 11).
    private var isIPv6: Bool {
        let address = host.utf8.prefix { $0 != UInt8(ascii: "%") }
        let zone = host.utf8.dropFirst(address.count)
        return address.contains(UInt8(ascii: ":")) && !zone.contains(UInt8(ascii: "]"))
            && address.allSatisfy { "0123456789abcdefABCDEF:.".utf8.contains($0) }
    }

    /// The host without its zone, which has a meaning only on this machine (RFC 6874 section 4).
    var withoutZone: HostAndPort {
        guard isIPv6 else { return self }
        return HostAndPort(host: String(host.prefix { $0 != "%" }), port: port)
    }

    /// Formats host and port, with brackets around an IPv6 address.
    static func describe(_ host: String, port: Int) -> String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
