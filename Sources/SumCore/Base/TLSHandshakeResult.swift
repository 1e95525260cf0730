/// How a TLS handshake has ended. The values are those of gRPC's metrics (grpc/proposal A118).
public enum TLSHandshakeResult: String, CaseIterable, Sendable {
    case success = "SUCCESS"
    case unknownFailure = "UNKNOWN_FAILURE"
    /// The certificate is not accepted, for a reason that is none of the next.
    case certificateVerificationFailed = "CERTIFICATE_VERIFICATION_FAILED"
    case certificateRevoked = "CERTIFICATE_REVOKED"
    case certificateExpired = "CERTIFICATE_EXPIRED"
    case certificateNotYetValid = "CERTIFICATE_NOT_YET_VALID"
    case certificateAuthorityInvalid = "CERTIFICATE_AUTHORITY_INVALID"
    case certificateHostnameMismatch = "CERTIFICATE_HOSTNAME_MISMATCH"
    case certificateMalformed = "CERTIFICATE_MALFORMED"
    case cipherSuiteMismatch = "CIPHER_SUITE_MISMATCH"
    case protocolVersionUnsupported = "PROTOCOL_VERSION_UNSUPPORTED"
    case inappropriateFallback = "INAPPROPRIATE_FALLBACK"
    case noApplicationProtocol = "NO_APPLICATION_PROTOCOL"
    case signatureVerificationFailed = "SIGNATURE_VERIFICATION_FAILED"
    case decryptionFailed = "DECRYPTION_FAILED"
    case keyExchangeFailure = "KEY_EXCHANGE_FAILURE"
    /// What has come is no message of the handshake, such as clear text.
    case unexpectedMessage = "UNEXPECTED_MESSAGE"
    case handshakeTimeout = "HANDSHAKE_TIMEOUT"
    case peerConnectionClosed = "PEER_CONNECTION_CLOSED"
}
