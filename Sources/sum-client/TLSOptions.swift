import ArgumentParser
import SumCore

/// The options for TLS.
struct TLSOptions: ParsableArguments {
    @Flag(
        help:
            "Connect by TLS, and verify the server's certificate. The options --cacert, --cert and --server-name imply it."
    )
    var tls = false

    @Option(
        parsing: .unconditional,
        help: .init(
            """
            CAs that servers' certificates may be signed by, in PEM. (default: the file named by \
            GRPC_DEFAULT_SSL_ROOTS_FILE_PATH or SSL_CERT_FILE, otherwise the system's)
            """, valueName: "path"), completion: .file())
    var cacert: String?

    @Option(
        parsing: .unconditional,
        help: .init("Certificate of this client in PEM, for servers that want one.", valueName: "path"),
        completion: .file())
    var cert: String?

    @Option(
        parsing: .unconditional, help: .init("Private key of the certificate, in PEM.", valueName: "path"),
        completion: .file())
    var key: String?

    @Option(
        parsing: .unconditional,
        help: .init("File whose first line is the passphrase of an encrypted key.", valueName: "path"),
        completion: .file())
    var keyPassphraseFile: String?

    @Option(
        parsing: .unconditional,
        help: .init(
            """
            Name that the server's certificate must have. (default: the host of the target as written; localhost for a \
            Unix domain socket)
            """, valueName: "name"))
    var serverName: String?

    @Flag(
        name: [.customShort("k"), .customLong("insecure"), .customLong("insecure-skip-verify")], help: .hidden
    )
    var skipVerification = false

    func validate() throws {
        guard !skipVerification else {
            throw ValidationError(
                "the server's certificate is always verified: give its CA, or the certificate itself if it is self-signed, "
                    + "with --cacert, and its name with --server-name")
        }
        guard (cert == nil) == (key == nil) else {
            throw ValidationError(cert == nil ? "--key requires --cert" : "--cert requires --key")
        }
        guard keyPassphraseFile == nil || key != nil else {
            throw ValidationError("--key-passphrase-file requires --cert and --key")
        }
    }

    private var isUsed: Bool { tls || cacert != nil || cert != nil || serverName != nil }

    /// Which files to read, and what to demand; nil for clear text.
    var configuration: ClientTLS.Configuration? {
        guard isUsed else { return nil }
        var configuration = ClientTLS.Configuration()
        if let cacert { configuration.roots = .certificates(.file(cacert)) }
        if let cert, let key {
            configuration.identity = TLSIdentity(
                certificate: .file(cert), key: .file(key), passphrase: keyPassphraseFile.map { .file($0) })
        }
        configuration.serverName = serverName
        return configuration
    }
}
