#if TLS
internal import NIOCore
internal import NIOSSL

/// Why a connection has failed in TLS, in words that say what to do.
struct TLSFailure: Equatable {
    var words: String
    /// Whether another attempt may succeed.
    var isTemporary = false
    /// Whether to prefer any other failure of the same connection.
    var isVague = false
    /// What it is for metrics.
    var result = TLSHandshakeResult.unknownFailure

    var closeReason: CloseReason { isTemporary ? .tlsInterrupted(words) : .tls(words) }
}

/// Failures that no error of NIOSSL shows.
extension TLSFailure {
    static let timeout = TLSFailure(
        words: "the TLS handshake did not end in time", isTemporary: true, result: .handshakeTimeout)

    /// The client has closed the connection without an alert, as gRPC's C core does.
    static let rejected = TLSFailure(
        words:
            "the client closed the connection in the TLS handshake: it may not believe the server's certificate",
        result: .peerConnectionClosed)

    static func noHTTP2(_ role: TLSHandler.Role) -> TLSFailure {
        let words =
            switch role {
            case .server: "the client does not offer HTTP/2 in its TLS handshake (ALPN h2)"
            case .client:
                "the server did not choose HTTP/2 in its TLS handshake (ALPN h2): it is no gRPC server, or a proxy "
                    + "before it is not set up for HTTP/2"
            }
        return TLSFailure(words: words, result: .noApplicationProtocol)
    }

    static func wrongName(_ name: CertificateName, _ certificate: CertificateFacts?) -> TLSFailure {
        let names = certificate.map(\.names) ?? "(none)"
        return TLSFailure(
            words:
                "the server's certificate \(names) is not for \(name): give the name it has with --server-name if this "
                + "is the right server", result: .certificateHostnameMismatch)
    }

    /// The peer closed the connection before the handshake was over or, on a client, before it sent anything after it.
    ///
    /// - Parameter isKnown: whether the peer has shown its certificate.
    static func closed(_ role: TLSHandler.Role, isHandshaking: Bool, isKnown: Bool) -> TLSFailure {
        guard case .client(_, _, let hasCertificate) = role else {
            return TLSFailure(
                words: "the client closed the connection in the TLS handshake", isTemporary: true,
                isVague: true, result: .peerConnectionClosed)
        }
        let reason =
            if isHandshaking, !isKnown {
                "does it speak TLS on this port (if not, leave out --tls)?"
            } else if hasCertificate {
                "it may not accept this client's certificate"
            } else {
                "it may want a client certificate (--cert, --key)"
            }
        return TLSFailure(
            words:
                "the server closed the connection \(isHandshaking ? "in" : "right after") the TLS handshake: \(reason)",
            isTemporary: true, isVague: true, result: .peerConnectionClosed)
    }
}

/// Errors of NIOSSL.
extension TLSFailure {
    /// Errors that follow from the end of a connection, whoever ended it. A missing close_notify is one of them: the ends
    /// of HTTP/2's streams show whether anything is missing.
    static func isNoise(_ error: any Error) -> Bool {
        switch error {
        case NIOSSLError.uncleanShutdown, NIOSSLError.readInInvalidTLSState, NIOSSLError.shutdownFailed,
            NIOSSLError.writeDuringTLSShutdown, is NIOSSLCloseTimedOutError, is ChannelError:
            true
        default: false
        }
    }

    /// - Parameters:
    ///   - certificate: the peer's, which may not be verified.
    ///   - isHandshaking: whether our side of the handshake is not over.
    init(
        _ error: any Error, _ role: TLSHandler.Role, _ certificate: CertificateFacts?,
        isHandshaking: Bool,
        now: TLSDate
    ) {
        let code = Self.code(of: error)
        guard !code.isEmpty else {
            self = .closed(role, isHandshaking: isHandshaking, isKnown: certificate != nil)
            if let error = error as? IOError { words += " (\(FailureText.describe(error)))" }
            return
        }
        guard isHandshaking || !Self.garbage.contains(code) else {
            self.init(words: "the \(role.peer) sent what is no valid record of TLS")
            return
        }
        self.init(code: code, role, certificate, now: now)
    }

    /// Errors that say, after the handshake, that bytes cannot be decrypted or were never encrypted. Before its end, they say
    /// that the peer does not speak TLS.
    private static let garbage: Set = [
        "WRONG_VERSION_NUMBER", "HTTP_REQUEST", "HTTPS_PROXY_REQUEST", "UNEXPECTED_RECORD",
        "DECRYPTION_FAILED_OR_BAD_RECORD_MAC", "ENCRYPTED_LENGTH_TOO_LONG", "DATA_LENGTH_TOO_LONG",
    ]

    /// The name of BoringSSL's error, such as `CERTIFICATE_VERIFY_FAILED`; empty if there is none. NIOSSL has it in its
    /// description only, between much that is not for people.
    static func code(of error: any Error) -> String {
        let text = "\(error)"
        guard let mark = text.firstRange(of: "OPENSSL_internal:") else { return "" }
        return String(
            text[mark.upperBound...].prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") })
    }

    init(code: String, _ role: TLSHandler.Role, _ certificate: CertificateFacts?, now: TLSDate) {
        let words =
            switch role {
            case .server(let clientCAs, let minimum):
                Self.onServer(code, clientCAs, minimum, certificate, now)
            case .client(let name, let roots, let hasCertificate):
                Self.onClient(code, name, roots, hasCertificate, certificate, now)
            }
        self.init(
            words: words ?? "TLS failed: \(Self.spoken(code))",
            result: Self.result(code, certificate, now: now))
    }

    // MARK: The client

    private static func onClient(
        _ code: String, _ name: CertificateName, _ roots: PEMSource, _ hasCertificate: Bool,
        _ certificate: CertificateFacts?, _ now: TLSDate
    ) -> String? {
        let ours =
            hasCertificate
            ? "the server refused this client's certificate" : "the server broke off the handshake"
        let wanted = "the server wants a client certificate: give one with --cert and --key"
        switch code {
        case "CERTIFICATE_VERIFY_FAILED":
            return unverified("the server's certificate", certificate, "\(roots)", now)
                + (certificate?.isSelfSigned == true ? " (--cacert)" : "")
        case "WRONG_VERSION_NUMBER", "HTTP_REQUEST", "HTTPS_PROXY_REQUEST":
            return "the server does not speak TLS on this port: leave out --tls if that is intended"
        case "TLSV1_ALERT_CERTIFICATE_REQUIRED":
            return wanted
        case "SSLV3_ALERT_HANDSHAKE_FAILURE":
            return hasCertificate
                ? "\(ours): it does not accept it, or the two have no cipher suite in common"
                : "\(ours): it may want a client certificate (--cert, --key), or the two have no cipher suite in common"
        case "TLSV1_ALERT_UNKNOWN_CA":
            return "\(ours): it is not signed by a CA that the server knows"
        case "SSLV3_ALERT_CERTIFICATE_EXPIRED":
            return "\(ours): it has expired, or is not valid yet"
        case "SSLV3_ALERT_CERTIFICATE_REVOKED":
            return "\(ours): it was revoked"
        case "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE":
            return
                "\(ours): it is not made for clients (its extended key usage lacks clientAuth), or of a kind unknown there"
        case "SSLV3_ALERT_BAD_CERTIFICATE", "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
            "TLSV1_ALERT_DECRYPT_ERROR":
            return hasCertificate ? ours : wanted
        case "TLSV1_ALERT_ACCESS_DENIED":
            return hasCertificate
                ? "\(ours): it may not connect" : "the server does not let this client connect"
        case "TLSV1_ALERT_UNRECOGNIZED_NAME":
            return "the server has no certificate for \(name): give the name it has with --server-name"
        case "TLSV1_ALERT_NO_APPLICATION_PROTOCOL":
            return "the server does not speak HTTP/2 (ALPN h2)"
        case "TLSV1_ALERT_PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL":
            return "the server speaks no version of TLS that this client does (1.2 or 1.3)"
        case "TLSV1_ALERT_INSUFFICIENT_SECURITY", "NO_SHARED_CIPHER", "WRONG_CIPHER_RETURNED",
            "UNKNOWN_CIPHER_RETURNED":
            return "the server has no cipher suite that HTTP/2 allows"
        case "TLSV1_ALERT_INTERNAL_ERROR":
            return "the server failed in the TLS handshake: its log may say why"
        default:
            return alert(code).map { "the server ended TLS: \($0)" }
        }
    }

    // MARK: The server

    private static func onServer(
        _ code: String, _ clientCAs: PEMSource?, _ minimum: TLSMinimum, _ certificate: CertificateFacts?,
        _ now: TLSDate
    ) -> String? {
        let ours = "the client does not accept the server's certificate"
        switch code {
        case "CERTIFICATE_VERIFY_FAILED":
            return unverified(
                "the client's certificate", certificate, clientCAs.map { "\($0)" } ?? "?", now)
        case "PEER_DID_NOT_RETURN_A_CERTIFICATE":
            return "the client has shown no certificate"
        case "WRONG_VERSION_NUMBER", "HTTP_REQUEST", "HTTPS_PROXY_REQUEST", "UNEXPECTED_RECORD",
            "RECORD_TOO_LARGE":
            return "the client does not speak TLS"
        case "UNSUPPORTED_PROTOCOL":
            return "the client speaks no version of TLS from \(minimum.rawValue) on"
        case "NO_SHARED_CIPHER", "NO_COMMON_SIGNATURE_ALGORITHMS", "NO_SHARED_GROUP":
            return
                "the client offers no cipher suite or key exchange that goes with HTTP/2 and the server's certificate"
        case "TLSV1_ALERT_UNKNOWN_CA":
            return "\(ours): it does not know its CA"
        case "SSLV3_ALERT_CERTIFICATE_EXPIRED":
            return "\(ours): it has expired, or is not valid yet"
        case "SSLV3_ALERT_BAD_CERTIFICATE", "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
            "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
            "SSLV3_ALERT_CERTIFICATE_REVOKED", "TLSV1_ALERT_ACCESS_DENIED", "TLSV1_ALERT_DECRYPT_ERROR":
            return ours
        case "TLSV1_ALERT_PROTOCOL_VERSION":
            return "the client does not speak the version of TLS that was chosen"
        case "EXCESSIVE_MESSAGE_SIZE":
            return "the client's TLS handshake is too long"
        default:
            return alert(code).map { "the client ended TLS: \($0)" }
        }
    }

    // MARK: Both

    private static func unverified(
        _ whose: String, _ certificate: CertificateFacts?, _ roots: String, _ now: TLSDate
    ) -> String {
        guard let certificate else { return "\(whose) cannot be verified" }
        let its = "\(whose) \(certificate.names)"
        if now > certificate.notAfter { return "\(its) expired on \(certificate.notAfter)" }
        if now < certificate.notBefore {
            return "\(its) is not valid before \(certificate.notBefore): is the clock right?"
        }
        if certificate.isSelfSigned { return "\(its) is self-signed, and not among the CAs in \(roots)" }
        return "\(its) is not signed by a CA in \(roots), or not for this use"
    }

    /// The words of an alert of the other side, such as `internal error`.
    private static func alert(_ code: String) -> String? {
        for prefix in ["SSLV3_ALERT_", "TLSV1_ALERT_"] where code.hasPrefix(prefix) {
            return spoken(String(code.dropFirst(prefix.count)))
        }
        return nil
    }

    private static func spoken(_ constant: String) -> String {
        String(constant.lowercased().map { $0 == "_" ? " " : $0 })
    }
}

extension TLSHandler.Role {
    fileprivate var peer: String {
        switch self {
        case .server: "client"
        case .client: "server"
        }
    }
}
#endif
