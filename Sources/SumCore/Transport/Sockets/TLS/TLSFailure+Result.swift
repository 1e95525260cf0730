#if TLS
extension TLSFailure {
    /// The result of a handshake that has failed.
    ///
    /// - Parameters:
    ///   - code: the name of BoringSSL's error. In those with `ALERT`, the other side speaks.
    ///   - certificate: the peer's, which may not be verified.
    static func result(_ code: String, _ certificate: CertificateFacts?, now: TLSDate) -> TLSHandshakeResult {
        if code == "CERTIFICATE_VERIFY_FAILED" { return unverified(certificate, now: now) }
        return results[code] ?? .unknownFailure
    }

    private static func unverified(_ certificate: CertificateFacts?, now: TLSDate) -> TLSHandshakeResult {
        guard let certificate else { return .certificateVerificationFailed }
        if now > certificate.notAfter { return .certificateExpired }
        if now < certificate.notBefore { return .certificateNotYetValid }
        return .certificateAuthorityInvalid
    }

    private static let results: [String: TLSHandshakeResult] = [
        "PEER_DID_NOT_RETURN_A_CERTIFICATE": .certificateVerificationFailed,
        "TLSV1_ALERT_CERTIFICATE_REQUIRED": .certificateVerificationFailed,
        "SSLV3_ALERT_BAD_CERTIFICATE": .certificateVerificationFailed,
        "SSLV3_ALERT_CERTIFICATE_UNKNOWN": .certificateVerificationFailed,
        "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE": .certificateVerificationFailed,
        "TLSV1_ALERT_ACCESS_DENIED": .certificateVerificationFailed,
        "SSLV3_ALERT_CERTIFICATE_REVOKED": .certificateRevoked,
        "SSLV3_ALERT_CERTIFICATE_EXPIRED": .certificateExpired,
        "TLSV1_ALERT_UNKNOWN_CA": .certificateAuthorityInvalid,
        "TLSV1_ALERT_UNRECOGNIZED_NAME": .certificateHostnameMismatch,
        "CANNOT_PARSE_LEAF_CERT": .certificateMalformed,
        "CERT_DECODE_ERROR": .certificateMalformed,
        "NO_SHARED_CIPHER": .cipherSuiteMismatch,
        "NO_COMMON_SIGNATURE_ALGORITHMS": .cipherSuiteMismatch,
        "WRONG_CIPHER_RETURNED": .cipherSuiteMismatch,
        "UNKNOWN_CIPHER_RETURNED": .cipherSuiteMismatch,
        "TLSV1_ALERT_INSUFFICIENT_SECURITY": .cipherSuiteMismatch,
        "UNSUPPORTED_PROTOCOL": .protocolVersionUnsupported,
        "TLSV1_ALERT_PROTOCOL_VERSION": .protocolVersionUnsupported,
        "INAPPROPRIATE_FALLBACK": .inappropriateFallback,
        "TLSV1_ALERT_INAPPROPRIATE_FALLBACK": .inappropriateFallback,
        "NO_APPLICATION_PROTOCOL": .noApplicationProtocol,
        "TLSV1_ALERT_NO_APPLICATION_PROTOCOL": .noApplicationProtocol,
        "BAD_SIGNATURE": .signatureVerificationFailed,
        "TLSV1_ALERT_DECRYPT_ERROR": .signatureVerificationFailed,
        "DECRYPTION_FAILED_OR_BAD_RECORD_MAC": .decryptionFailed,
        "SSLV3_ALERT_BAD_RECORD_MAC": .decryptionFailed,
        "TLSV1_ALERT_DECRYPTION_FAILED": .decryptionFailed,
        "NO_SHARED_GROUP": .keyExchangeFailure,
        "BAD_ECPOINT": .keyExchangeFailure,
        "WRONG_VERSION_NUMBER": .unexpectedMessage,
        "HTTP_REQUEST": .unexpectedMessage,
        "HTTPS_PROXY_REQUEST": .unexpectedMessage,
        "UNEXPECTED_RECORD": .unexpectedMessage,
        "UNEXPECTED_MESSAGE": .unexpectedMessage,
        "SSLV3_ALERT_UNEXPECTED_MESSAGE": .unexpectedMessage,
    ]
}
#endif
