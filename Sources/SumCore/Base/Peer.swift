/// The other end of a connection.
public struct Peer: Hashable, Sendable, CustomStringConvertible {
    /// The address in the syntax of `Target`, such as `127.0.0.1:40000`, `[::1]:40000` or `unix:/run/sum.sock`; empty
    /// if the system does not provide it. Behind an HTTP proxy it is the name or address that the proxy was given, since
    /// nothing else is known.
    public var address: String
    /// The certificate that it has shown; nil without TLS, and for a client that showed none.
    public var certificate: PeerCertificate?
    /// The version of TLS; nil without it.
    public var tlsVersion: TLSVersion?
    /// Who it is, by the rules of the server: the name beside its token, or one of the certificate's names. Nil unless
    /// the server knows its callers.
    public var principal: String?

    /// Versions of TLS. Their values are the names that OpenSSL uses.
    public enum TLSVersion: String, Sendable {
        /// TLS 1.2 (RFC 5246).
        case tls12 = "TLSv1.2"
        /// TLS 1.3 (RFC 8446).
        case tls13 = "TLSv1.3"
    }

    /// Creates a peer, for tests and for observers.
    public init(
        address: String, certificate: PeerCertificate? = nil, tlsVersion: TLSVersion? = nil,
        principal: String? = nil
    ) {
        self.address = address
        self.certificate = certificate
        self.tlsVersion = tlsVersion
        self.principal = principal
    }

    /// The IP address without its port; nil for other kinds of address.
    package var ipAddress: IPAddress? {
        guard let colon = address.utf8.lastIndex(of: UInt8(ascii: ":")) else { return nil }
        let host = address[..<colon].drop { $0 == "[" }
        return IPAddress(String(host.last == "]" ? host.dropLast() : host))
    }

    /// The address, or `?` if it is empty.
    public var description: String { address.isEmpty ? "?" : address }
}
