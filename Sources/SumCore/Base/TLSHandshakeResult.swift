/// How a TLS handshake has ended. The values are those of gRPC's metrics (grpc/proposal A118).
public enum TLSHandshakeResult: String, CaseIterable, Sendable {
    /// It has succeeded.
    case success = "SUCCESS"
    /// It has failed, and nobody knows why.
    case unknownFailure = "UNKNOWN_FAILURE"
    /// The certificate is not accepted, for a reason that is none of the next.
    case certificateVerificationFailed = "CERTIFICATE_VERIFICATION_FAILED"
    /// The certificate was revoked by its CA.
    case certificateRevoked = "CERTIFICATE_REVOKED"
    /// The certificate is no longer valid.
    case certificateExpired = "CERTIFICATE_EXPIRED"
    /// The certificate is not valid yet.
    case certificateNotYetValid = "CERTIFICATE_NOT_YET_VALID"
    /// No CA that is believed has signed the certificate.
    case certificateAuthorityInvalid = "CERTIFICATE_AUTHORITY_INVALID"
    /// The certificate is for another host.
    case certificateHostnameMismatch = "CERTIFICATE_HOSTNAME_MISMATCH"
    /// The certificate cannot be read.
    case certificateMalformed = "CERTIFICATE_MALFORMED"
    /// The two sides have no cipher suite in common.
    case cipherSuiteMismatch = "CIPHER_SUITE_MISMATCH"
    /// The two sides have no version of TLS in common.
    case protocolVersionUnsupported = "PROTOCOL_VERSION_UNSUPPORTED"
    /// The client fell back to an older version than both sides speak (RFC 7507).
    case inappropriateFallback = "INAPPROPRIATE_FALLBACK"
    /// The peer did not agree on HTTP/2 by ALPN.
    case noApplicationProtocol = "NO_APPLICATION_PROTOCOL"
    /// A signature in the handshake is wrong.
    case signatureVerificationFailed = "SIGNATURE_VERIFICATION_FAILED"
    /// A message cannot be decrypted.
    case decryptionFailed = "DECRYPTION_FAILED"
    /// The two sides could not agree on keys.
    case keyExchangeFailure = "KEY_EXCHANGE_FAILURE"
    /// What has come is no message of the handshake, such as clear text.
    case unexpectedMessage = "UNEXPECTED_MESSAGE"
    /// The peer did not finish it in time.
    case handshakeTimeout = "HANDSHAKE_TIMEOUT"
    /// The peer closed the connection before its end.
    case peerConnectionClosed = "PEER_CONNECTION_CLOSED"
}
