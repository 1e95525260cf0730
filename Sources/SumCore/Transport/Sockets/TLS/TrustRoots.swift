internal import Glibc

/// The CAs whose certificates are believed.
public enum TrustRoots: Hashable, Sendable {
    /// Those of the file named by the environment variable GRPC_DEFAULT_SSL_ROOTS_FILE_PATH or SSL_CERT_FILE, and
    /// otherwise those of the system.
    case system
    /// One or more CAs.
    case certificates(PEMSource)
}

extension TrustRoots {
    /// gRPC's own variable comes first, as in gRPC's C core.
    private static let variables = ["GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "SSL_CERT_FILE"]
    /// Where distributions keep them: Debian and Alpine; Fedora; Alpine and others; openSUSE.
    static let systemFiles = [
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem",
        "/etc/ssl/ca-bundle.pem",
    ]

    /// Where the certificates are.
    ///
    /// - Parameter systemFiles: where the system may have them.
    func source(systemFiles: [String] = systemFiles) throws(TLSConfigurationError) -> PEMSource {
        switch self {
        case .certificates(let source):
            return source
        case .system:
            for variable in Self.variables {
                if let path = Environment.value(variable) { return .file(path) }
            }
            // Sound because access(2) reads the path up to its NUL, which Swift adds.
            guard let path = systemFiles.first(where: { unsafe access($0, R_OK) == 0 }) else {
                throw TLSConfigurationError(
                    "this system has no CA certificates: install its package ca-certificates, or give the CA of the "
                        + "server (--cacert)")
            }
            return .file(path)
        }
    }
}
