import Testing

@testable import SumCore

/// What a failed handshake is for metrics.
@Suite struct TLSHandshakeResultTests {
    private static let now = TLSDate(seconds: 1_000_000)

    private static func certificate(from start: Int, to end: Int) -> CertificateFacts {
        var facts = CertificateFacts()
        (facts.notBefore, facts.notAfter) = (TLSDate(seconds: start), TLSDate(seconds: end))
        return facts
    }

    @Test(
        "A certificate that cannot be verified",
        arguments: [
            (nil, .certificateVerificationFailed), (certificate(from: 0, to: 999_999), .certificateExpired),
            (certificate(from: 1_000_001, to: 2_000_000), .certificateNotYetValid),
            (certificate(from: 0, to: 2_000_000), .certificateAuthorityInvalid),
        ] as [(CertificateFacts?, TLSHandshakeResult)])
    func certificates(_ certificate: CertificateFacts?, _ result: TLSHandshakeResult) {
        #expect(TLSFailure.result("CERTIFICATE_VERIFY_FAILED", certificate, now: Self.now) == result)
    }

    @Test(
        "Errors of BoringSSL",
        arguments: [
            ("HTTP_REQUEST", .unexpectedMessage), ("NO_SHARED_CIPHER", .cipherSuiteMismatch),
            ("TLSV1_ALERT_UNKNOWN_CA", .certificateAuthorityInvalid),
            ("UNSUPPORTED_PROTOCOL", .protocolVersionUnsupported), ("", .unknownFailure),
            ("WHAT_WE_DO_NOT_KNOW", .unknownFailure),
        ] as [(String, TLSHandshakeResult)])
    func codes(_ code: String, _ result: TLSHandshakeResult) {
        #expect(TLSFailure.result(code, nil, now: Self.now) == result)
    }

    @Test("Failures that no error shows have their results")
    func others() throws {
        let server = TLSHandler.Role.server(clientCAs: nil, minimum: .v1_2)
        #expect(TLSFailure.timeout.result == .handshakeTimeout)
        #expect(TLSFailure.rejected.result == .peerConnectionClosed)
        #expect(TLSFailure.noHTTP2(server).result == .noApplicationProtocol)
        #expect(
            TLSFailure.closed(server, isHandshaking: true, isKnown: false).result == .peerConnectionClosed)
        #expect(
            TLSFailure.wrongName(try CertificateName("a.example"), nil).result == .certificateHostnameMismatch
        )
    }
}
