/// What is known of the certificate that the other end of a TLS connection has shown, and proven to own.
///
/// It is a class, so that a `Peer`, which each call has, stays small.
public final class PeerCertificate: Hashable, Sendable {
    /// The names of the certificate (RFC 5280 section 4.2.1.6), in its order. The subject's common name is not among
    /// them.
    public let identities: [PeerIdentity]

    /// Creates what is known of a certificate with these names.
    public init(identities: [PeerIdentity]) {
        self.identities = identities
    }

    public static func == (left: PeerCertificate, right: PeerCertificate) -> Bool {
        left.identities == right.identities
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(identities)
    }
}

/// A subject alternative name of a certificate (RFC 5280 section 4.2.1.6).
public enum PeerIdentity: Hashable, Sendable {
    /// A URI, such as the SPIFFE id of a workload: `spiffe://example.org/adder`.
    case uri(String)
    /// A host name, which may begin with `*.`.
    case dns(String)
    /// An address of electronic mail.
    case email(String)
    /// An IPv4 or IPv6 address in its usual text.
    case ipAddress(String)

    /// The name without its kind. A peer wrote it.
    public var name: String {
        switch self {
        case .uri(let name), .dns(let name), .email(let name), .ipAddress(let name): name
        }
    }
}
