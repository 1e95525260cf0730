/// The hosts that are reached without a proxy: a list as in `no_proxy`, by the rules of Go
/// (golang.org/x/net/http/httpproxy, `Config.NoProxy`).
///
/// The list is separated by commas. `sum.example` stands for that host and its subdomains, `.sum.example` and
/// `*.sum.example` for the subdomains alone, `10.1.2.3` and `2001:db8::1` for addresses, `10.0.0.0/8` for a block of
/// addresses, and `*` for everything. Names and addresses may have a port, and then stand for that port alone; an IPv6
/// address then needs brackets. Names are not resolved: an address in the list does not stand for a name that has it.
///
/// Unlike Go, the dot at the end of a fully qualified name makes no difference, and brackets around an IPv6 address may
/// also be written without a port. Names are compared as they are written, without IDNA.
struct ProxyExceptions {
    private enum Pattern {
        case everything
        case block(IPAddress.Block)
        case address(IPAddress)
        /// - suffix: the name with a dot in front.
        case domain(suffix: String, includesItself: Bool)
    }

    private struct Entry {
        /// As written, for people.
        var text: String
        var pattern: Pattern
        /// Nil for all ports. A text, because one that is not a number matches none.
        var port: String?
    }

    private let entries: [Entry]

    init(_ list: String) {
        entries = list.utf8.split(separator: UInt8(ascii: ",")).compactMap(Self.entry)
    }

    private static func entry(_ written: Substring.UTF8View) -> Entry? {
        let isSpace = { (byte: UInt8) in byte <= 0x20 }
        let start = written.drop(while: isSpace)
        guard let last = start.lastIndex(where: { !isSpace($0) }) else { return nil }
        let text = String(Substring(start[...last]))
        let lower = text.lowercased()
        guard lower != "*" else { return Entry(text: text, pattern: .everything) }
        if let block = IPAddress.Block(lower) { return Entry(text: text, pattern: .block(block)) }
        let (host, port) = splitPort(lower)
        if let address = IPAddress(host) { return Entry(text: text, pattern: .address(address), port: port) }
        var name = host.withoutLastDot
        if name.hasPrefix("*.") { name.removeFirst() }
        guard !name.isEmpty else { return nil }
        let includesItself = !name.hasPrefix(".")
        return Entry(
            text: text,
            pattern: .domain(suffix: includesItself ? ".\(name)" : name, includesItself: includesItself),
            port: port)
    }

    /// An entry that cannot be read, such as `a:b:c`, is left whole, and matches nothing.
    private static func splitPort(_ text: String) -> (host: String, port: String?) {
        var host = text.utf8[...]
        var port: Substring.UTF8View?
        if let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")),
            text.utf8.firstIndex(of: UInt8(ascii: ":")) == colon
                || text.utf8[..<colon].last == UInt8(ascii: "]")
        {
            host = text.utf8[..<colon]
            port = text.utf8[colon...].dropFirst()
        }
        if host.first == UInt8(ascii: "["), host.last == UInt8(ascii: "]") {
            host = host.dropFirst().dropLast()
        }
        return (String(Substring(host)), port.flatMap { $0.isEmpty ? nil : String(Substring($0)) })
    }

    /// The first entry, as written, that stands for this host and port.
    ///
    /// - Parameter host: a name or an address, without brackets.
    func entry(for host: String, port: Int) -> String? {
        let address = IPAddress(host)
        let name = host.lowercased().withoutLastDot
        return entries.first { entry in
            guard entry.port == nil || entry.port == "\(port)" else { return false }
            switch entry.pattern {
            case .everything: return true
            case .block(let block): return address.map(block.contains) ?? false
            case .address(let listed): return listed == address
            case .domain(let suffix, let includesItself):
                // A zone such as %sum.example is no domain (CVE-2025-22870).
                return address == nil
                    && (name.utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
                        || includesItself && name == suffix.dropFirst())
            }
        }?.text
    }
}

extension String {
    /// The name of a host without the dot that says that it is complete (RFC 1034 section 3.1).
    var withoutLastDot: String { hasSuffix(".") ? String(dropLast()) : self }
}
