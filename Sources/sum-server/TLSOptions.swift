public import ArgumentParser
public import SumCore

/// The options for TLS.
struct TLSOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: .init(
            """
            Certificate of the server in PEM, with those of the CAs between it and a root: the server speaks TLS on all \
            its addresses, except for Unix domain sockets.
            """, valueName: "path"), completion: .file())
    var tlsCert: String?

    @Option(
        parsing: .unconditional, help: .init("Private key of the certificate, in PEM.", valueName: "path"),
        completion: .file())
    var tlsKey: String?

    @Option(
        parsing: .unconditional,
        help: .init("File whose first line is the passphrase of an encrypted key.", valueName: "path"),
        completion: .file())
    var tlsKeyPassphraseFile: String?

    @Option(
        parsing: .unconditional,
        help: .init(
            "CAs of clients, in PEM: clients must show a certificate that one of them signed.",
            valueName: "path"), completion: .file())
    var tlsClientCa: String?

    @Option(
        help: .init(
            """
            With --tls-client-ca: 'optional' also serves clients that show no certificate. (default: require)
            """, valueName: "need"))
    var tlsClient: ServerTLS.ClientCertificate?

    @Option(help: .init("Oldest version of TLS to speak. (default: 1.2)", valueName: "version"))
    var tlsMin: TLSMinimum?

    func validate() throws {
        guard (tlsCert == nil) == (tlsKey == nil) else {
            throw ValidationError(
                tlsCert == nil ? "--tls-key requires --tls-cert" : "--tls-cert requires --tls-key")
        }
        let others = [
            ("--tls-key-passphrase-file", tlsKeyPassphraseFile != nil),
            ("--tls-client-ca", tlsClientCa != nil),
            ("--tls-client", tlsClient != nil), ("--tls-min", tlsMin != nil),
        ]
        for (name, isGiven) in others where isGiven && tlsCert == nil {
            throw ValidationError("\(name) requires --tls-cert and --tls-key")
        }
        guard tlsClient == nil || tlsClientCa != nil else {
            throw ValidationError("--tls-client requires --tls-client-ca")
        }
    }

    /// Which files to read, and what to demand; nil for clear text.
    var configuration: ServerTLS.Configuration? {
        guard let tlsCert, let tlsKey else { return nil }
        var configuration = ServerTLS.Configuration(
            identity: TLSIdentity(
                certificate: .file(tlsCert), key: .file(tlsKey),
                passphrase: tlsKeyPassphraseFile.map { .file($0) }),
            clientCAs: tlsClientCa.map { .file($0) })
        configuration.clientCertificate = tlsClient ?? .required
        configuration.minimum = tlsMin ?? .v1_2
        return configuration
    }
}

extension ServerTLS.ClientCertificate: ExpressibleByArgument {}

extension TLSMinimum: ExpressibleByArgument {}
