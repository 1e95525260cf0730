#if TLS
internal import Glibc
internal import NIOCore
internal import NIOSSL

/// What messages say about a certificate.
struct CertificateFacts: Equatable, Sendable {
    var identities: [PeerIdentity] = []
    var notBefore = TLSDate(seconds: 0)
    var notAfter = TLSDate(seconds: .max >> 16)
    var isSelfSigned = false
    var serial: [UInt8] = []

    /// Names to show at most.
    private static let shownNames = 4

    /// For a log: names, serial number, and the end of validity.
    var summary: String {
        let digits = serial.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return "the certificate \(names), serial number \(digits), valid until \(notAfter)"
    }

    /// Such as `(localhost, 127.0.0.1)`. A peer may have written the names.
    var names: String {
        guard !identities.isEmpty else { return "(without names)" }
        let shown = identities.prefix(Self.shownNames).map(\.name.escapedForDisplay)
        return "(\((shown + (identities.count > shown.count ? ["..."] : [])).joined(separator: ", ")))"
    }
}

extension CertificateFacts {
    init(_ certificate: NIOSSLCertificate) {
        identities = certificate.identities
        notBefore = TLSDate(seconds: Int(certificate.notValidBefore))
        notAfter = TLSDate(seconds: Int(certificate.notValidAfter))
        isSelfSigned = certificate.subjectName == certificate.issuerName
        serial = certificate.serialNumber
    }
}

extension TLSDate {
    static var now: TLSDate { TLSDate(seconds: time(nil)) }
}

extension NIOSSLCertificate {
    /// The subject alternative names of the kinds that we know.
    var identities: [PeerIdentity] {
        _subjectAlternativeNames().compactMap { name in
            // Sound because the bytes are copied while the certificate is alive.
            let bytes = unsafe name.contents.withUnsafeBufferPointer { unsafe Array($0) }
            switch name.nameType {
            case .ipAddress:
                let address = try? SocketAddress(packedIPAddress: ByteBuffer(bytes: bytes), port: 0)
                return (address?.numericHost).map { .ipAddress($0) }
            case .dnsName: return Self.text(bytes).map { .dns($0) }
            case .uri: return Self.text(bytes).map { .uri($0) }
            case .email: return Self.text(bytes).map { .email($0) }
            default: return nil
            }
        }
    }

    /// These names are ASCII (RFC 5280 section 4.2.1.6). One that is not, or has a NUL in it, is left out.
    private static func text(_ bytes: [UInt8]) -> String? {
        guard !bytes.isEmpty, bytes.allSatisfy({ (0x20..<0x7f).contains($0) }) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}
#endif
