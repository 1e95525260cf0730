#if TLS
internal import NIOCore
internal import NIOSSL

/// The settings that both ends have in common.
enum TLSSettings {
    /// The protocol to agree on by ALPN (RFC 9113 section 3.2).
    static let alpn = "h2"

    /// For TLS 1.2, the suites that HTTP/2 does not forbid (RFC 9113 appendix A); those of TLS 1.3 are fixed.
    private static let suites: [NIOTLSCipher] = [
        .TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, .TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        .TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, .TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        .TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, .TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ]

    /// NIOSSL keeps a buffer for each connection, as long as all that has been read in one turn of the event loop.
    static var readAllocator: AdaptiveRecvByteBufferAllocator {
        AdaptiveRecvByteBufferAllocator(minimum: 2 << 10, initial: 2 << 10, maximum: 64 << 10)
    }

    /// Reads of a client in one turn of the event loop.
    static let readsPerTurn: UInt = 2

    static func apply(
        to configuration: inout TLSConfiguration, minimum: TLSMinimum, maximum: TLSMinimum?,
        keyLog: TLSKeyLog?
    ) {
        configuration.minimumTLSVersion = version(minimum)
        configuration.maximumTLSVersion = maximum.map(version)
        configuration.cipherSuiteValues = suites
        configuration.applicationProtocols = [alpn]
        configuration.renegotiationSupport = .none
        // close_notify is still sent. By default, NIOSSL waits 5 seconds for the peer's, which gRPC's C core never sends.
        configuration.shutdownTimeout = .zero
        if let keyLog { configuration.keyLogCallback = { keyLog.write($0) } }
    }

    private static func version(_ version: TLSMinimum) -> TLSVersion {
        switch version {
        case .v1_2: .tlsv12
        case .v1_3: .tlsv13
        }
    }

    /// Makes a context of a configuration whose parts have been read.
    static func context(
        _ configuration: TLSConfiguration, _ identity: TLSIdentity?
    ) throws(TLSConfigurationError) -> NIOSSLContext {
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch NIOSSLError.failedToLoadPrivateKey {
            let (key, certificate) = (
                identity.map { "\($0.key)" } ?? "", identity.map { "\($0.certificate)" } ?? ""
            )
            throw TLSConfigurationError(
                "the key in \(key) does not belong to the certificate in \(certificate)")
        } catch {
            throw TLSConfigurationError("TLS refuses these certificates (\(TLSFailure.code(of: error)))")
        }
    }
}
#endif
