import NIOCore
import NIOSSL
import Testing

@testable import SumCore

/// What people are told when TLS fails.
@Suite struct TLSFailureTests {
    private static let now = TLSDate(seconds: 1_800_000_000)
    private static let names: [PeerIdentity] = [.dns("localhost"), .ipAddress("127.0.0.1")]
    private static let valid = CertificateFacts(
        identities: names, notBefore: TLSDate(seconds: 0), notAfter: TLSDate(seconds: 4_000_000_000))
    private static let expired = CertificateFacts(
        identities: names, notBefore: TLSDate(seconds: 0), notAfter: TLSDate(seconds: 951_782_400))
    private static let future = CertificateFacts(
        identities: names, notBefore: TLSDate(seconds: 4_107_542_400),
        notAfter: TLSDate(seconds: 5_000_000_000))
    private static let selfSigned = CertificateFacts(
        identities: names, notAfter: TLSDate(seconds: 4_000_000_000), isSelfSigned: true)

    private func words(_ code: String, _ role: TLSHandler.Role, _ certificate: CertificateFacts? = nil)
        -> String
    {
        TLSFailure(code: code, role, certificate, now: Self.now).words
    }

    private func client(hasCertificate: Bool) throws -> TLSHandler.Role {
        .client(try CertificateName("sum.example"), roots: .file("ca.pem"), hasCertificate: hasCertificate)
    }

    @Test(
        "A client says why it does not believe its server",
        arguments: [
            (valid, "is not signed by a CA in ca.pem, or not for this use"),
            (expired, "expired on 2000-02-29T00:00:00Z"),
            (future, "is not valid before 2100-03-01T00:00:00Z: is the clock right?"),
            (selfSigned, "is self-signed, and not among the CAs in ca.pem (--cacert)"),
        ])
    func unverified(_ certificate: CertificateFacts, _ reason: String) throws {
        let words = words("CERTIFICATE_VERIFY_FAILED", try client(hasCertificate: false), certificate)
        #expect(words == "the server's certificate (localhost, 127.0.0.1) \(reason)")
    }

    @Test(
        "A client without a certificate, and one with it, say what their server wants",
        arguments: [
            ("WRONG_VERSION_NUMBER", "leave out --tls", "leave out --tls"),
            ("TLSV1_ALERT_CERTIFICATE_REQUIRED", "--cert and --key", "--cert and --key"),
            ("SSLV3_ALERT_HANDSHAKE_FAILURE", "--cert, --key", "does not accept it"),
            (
                "TLSV1_ALERT_UNKNOWN_CA", "signed by a CA that the server knows",
                "signed by a CA that the server knows"
            ),
            ("SSLV3_ALERT_UNSUPPORTED_CERTIFICATE", "clientAuth", "clientAuth"),
            ("SSLV3_ALERT_CERTIFICATE_UNKNOWN", "--cert and --key", "refused this client's certificate"),
            ("TLSV1_ALERT_UNRECOGNIZED_NAME", "--server-name", "--server-name"),
            ("TLSV1_ALERT_PROTOCOL_VERSION", "1.2 or 1.3", "1.2 or 1.3"),
            ("TLSV1_ALERT_USER_CANCELLED", "the server ended TLS: user cancelled", "user cancelled"),
            ("BAD_DECRYPT", "TLS failed: bad decrypt", "TLS failed: bad decrypt"),
        ])
    func onClient(_ code: String, _ without: String, _ with: String) throws {
        #expect(words(code, try client(hasCertificate: false)).contains(without))
        #expect(words(code, try client(hasCertificate: true)).contains(with))
    }

    @Test(
        "A server says what is wrong with its client",
        arguments: [
            ("PEER_DID_NOT_RETURN_A_CERTIFICATE", "the client has shown no certificate"),
            (
                "CERTIFICATE_VERIFY_FAILED",
                "the client's certificate (localhost, 127.0.0.1) is not signed by a CA in ca.pem"
            ),
            (
                "TLSV1_ALERT_UNKNOWN_CA",
                "the client does not accept the server's certificate: it does not know its CA"
            ),
            ("WRONG_VERSION_NUMBER", "the client does not speak TLS"),
            ("UNSUPPORTED_PROTOCOL", "the client speaks no version of TLS from 1.3 on"),
            ("NO_SHARED_CIPHER", "the client offers no cipher suite"),
        ])
    func onServer(_ code: String, _ reason: String) {
        let server = TLSHandler.Role.server(clientCAs: .file("ca.pem"), minimum: .v1_3)
        #expect(words(code, server, Self.valid).hasPrefix(reason))
    }

    /// An error of NIOSSL, which has the reason in its description only.
    private struct NIOSSLText: Error, CustomStringConvertible {
        var code: String
        var description: String {
            "sslError([Error: 268435703 error:100000f7:SSL routines:OPENSSL_internal:\(code) at /a/b.cc:1])"
        }
    }

    @Test(
        "Bytes that are no records mean before the end of the handshake that there is no TLS, and a fault after it",
        arguments: ["WRONG_VERSION_NUMBER", "HTTP_REQUEST"])
    func garbage(_ code: String) throws {
        func words(_ role: TLSHandler.Role, isHandshaking: Bool) -> String {
            TLSFailure(NIOSSLText(code: code), role, nil, isHandshaking: isHandshaking, now: Self.now).words
        }
        let (client, server) = (
            try client(hasCertificate: false), TLSHandler.Role.server(clientCAs: nil, minimum: .v1_2)
        )
        #expect(words(server, isHandshaking: true) == "the client does not speak TLS")
        #expect(words(server, isHandshaking: false) == "the client sent what is no valid record of TLS")
        #expect(words(client, isHandshaking: true).contains("leave out --tls"))
        #expect(words(client, isHandshaking: false) == "the server sent what is no valid record of TLS")
    }

    @Test("No failure has a constant of OpenSSL, a type name or a path in it")
    func clean() throws {
        for code in ["DATA_LENGTH_TOO_LONG", "SSLV3_ALERT_BAD_RECORD_MAC", "TLSV1_ALERT_INTERNAL_ERROR"] {
            for role in [try client(hasCertificate: true), .server(clientCAs: nil, minimum: .v1_2)] {
                let words = words(code, role)
                #expect(!words.contains("_") && !words.contains("/") && !words.contains("SSL"), "\(words)")
            }
        }
    }

    @Test("A certificate with many names, or with strange ones, takes one line")
    func manyNames() {
        var certificate = Self.valid
        certificate.identities = (1...100).map { .dns("\($0)\n") }
        #expect(certificate.names == "(1\\n, 2\\n, 3\\n, 4\\n, ...)")
        certificate.identities = []
        #expect(certificate.names == "(without names)")
    }

    @Test("Only a handshake that was cut off is tried again, and anything else is told rather than it")
    func vague() throws {
        let errors: [any Error] = [
            NIOSSLError.handshakeFailed(.sslError([.eofDuringHandshake])),
            NIOSSLError.handshakeFailed(.syscallError),
            IOError(errnoCode: 104, reason: "read"),
        ]
        for error in errors {
            let failure = TLSFailure(
                error, try client(hasCertificate: false), nil, isHandshaking: true, now: Self.now)
            #expect(failure.isVague && failure.isTemporary)
            #expect(
                failure.words.hasPrefix(
                    "the server closed the connection in the TLS handshake: does it speak TLS on this port"))
            // A server that has shown its certificate speaks TLS.
            let refused = TLSFailure(
                error, try client(hasCertificate: true), Self.valid, isHandshaking: true, now: Self.now)
            #expect(
                refused.words.contains("in the TLS handshake: it may not accept this client's certificate"))
            let late = TLSFailure(
                error, try client(hasCertificate: false), nil, isHandshaking: false, now: Self.now)
            #expect(late.words.contains("it may want a client certificate (--cert, --key)"))
        }
        #expect(TLSFailure.isNoise(NIOSSLError.uncleanShutdown))
    }
}
