internal import NIOCore

/// The name that a server's certificate must have: a host name or an IP address (RFC 9525).
struct CertificateName: Hashable, CustomStringConvertible {
    private enum Kind: Hashable {
        /// In lower case, without a dot at the end.
        case dns(String)
        /// In its usual text.
        case ipAddress(String)
    }

    private let kind: Kind

    /// - Parameter host: as the user wrote it, without brackets and zone.
    /// - Throws: for what cannot be a name in a certificate.
    init(_ host: String) throws(ConnectFailure) {
        if let address = (try? SocketAddress(ipAddress: host, port: 0))?.numericHost {
            kind = .ipAddress(address)
            return
        }
        let name = host.hasSuffix(".") ? host.dropLast() : host[...]
        guard name.utf8.allSatisfy({ $0 < 0x80 }) else {
            throw ConnectFailure(
                description:
                    "the name '\(host.escapedForDisplay)' is not ASCII: write it as certificates do, with 'xn--'"
            )
        }
        guard (1...253).contains(name.utf8.count), !name.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7f })
        else {
            throw ConnectFailure(description: "'\(host.escapedForDisplay)' cannot be the name of a server")
        }
        kind = .dns(name.lowercased())
    }

    var description: String {
        switch kind {
        case .dns(let name), .ipAddress(let name): name
        }
    }

    /// The name to send in the handshake; nil for an IP address, which is not sent (RFC 6066 section 3).
    var sni: String? {
        if case .dns(let name) = kind { name } else { nil }
    }

    /// Whether one of the names of a certificate is this one. The subject's common name and the address of the socket do
    /// not count.
    func matches(_ identities: [PeerIdentity]) -> Bool {
        identities.contains { identity in
            switch (kind, identity) {
            case (.dns(let name), .dns(let pattern)): Self.matches(name, pattern)
            case (.ipAddress(let address), .ipAddress(let other)): address == other
            default: false
            }
        }
    }

    /// `*` stands for one whole label at the beginning, and for nothing else.
    private static func matches(_ name: String, _ pattern: String) -> Bool {
        let names = labels(name)
        let patterns = labels(pattern.lowercased())
        guard names.count == patterns.count, !names.contains(where: \.isEmpty) else { return false }
        guard patterns.first == "*", names.count > 1 else { return names == patterns }
        return names.dropFirst() == patterns.dropFirst()
    }

    private static func labels(_ name: String) -> [Substring] {
        let name = name.utf8.last == UInt8(ascii: ".") ? name.dropLast() : name[...]
        return name.split(separator: ".", omittingEmptySubsequences: false)
    }
}
