#if TLS
internal import NIOSSL

extension TLSIdentity {
    /// BoringSSL's buffer for a passphrase has room for so many bytes.
    private static let passphraseLimit = 1023

    /// The certificate and its chain.
    func chain(in files: TLSFiles) throws(TLSConfigurationError) -> [NIOSSLCertificate] {
        let chain = try PEM.certificates(in: certificate, files)
        for (issued, issuer) in zip(chain, chain.dropFirst())
        where issued.issuerName != issuer.subjectName {
            throw TLSConfigurationError(
                "the certificates in \(certificate) are no chain: the server's own must come first, then that of the "
                    + "CA that signed it, and so on")
        }
        return chain
    }

    func privateKey(in files: TLSFiles) throws(TLSConfigurationError) -> NIOSSLPrivateKey {
        let bytes = try files.bytes(of: key)
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.contains("PRIVATE KEY-----") else {
            throw TLSConfigurationError("\(key) has no private key in PEM")
        }
        let isEncrypted = text.contains("ENCRYPTED")
        guard !isEncrypted || passphrase != nil else {
            throw TLSConfigurationError("the key in \(key) is encrypted, and no passphrase is given")
        }
        let words = try passphrase.map { source throws(TLSConfigurationError) in
            try Self.passphrase(in: source, files)
        }
        do {
            // Without a callback, BoringSSL would ask the terminal.
            return try NIOSSLPrivateKey(bytes: bytes, format: .pem) { $0(words ?? []) }
        } catch {
            throw TLSConfigurationError(
                isEncrypted
                    ? "the key in \(key) cannot be decrypted: is it the passphrase of this key?"
                    : "the key in \(key) cannot be read: it is damaged, or of an unknown kind")
        }
    }

    /// The first line. NIOSSL traps on bytes that are not ASCII.
    private static func passphrase(
        in source: PEMSource, _ files: TLSFiles
    ) throws(TLSConfigurationError) -> [UInt8] {
        let line = try files.bytes(of: source).prefix {
            $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r")
        }
        guard (1...passphraseLimit).contains(line.count), line.allSatisfy({ (1...0x7f).contains($0) })
        else {
            throw TLSConfigurationError(
                "the first line of \(source) is not a passphrase: it must be ASCII, of 1 to \(passphraseLimit) bytes"
            )
        }
        return Array(line)
    }
}

/// Reading of PEM, with the reason if it fails.
enum PEM {
    private static let begin = "-----BEGIN CERTIFICATE-----"

    /// All certificates of a source; at least one.
    static func certificates(
        in source: PEMSource, _ files: TLSFiles
    ) throws(TLSConfigurationError) -> [NIOSSLCertificate] {
        let bytes = try files.bytes(of: source)
        let lines = bytes.split { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
        guard isWhole(lines) else { throw TLSConfigurationError("\(source) ends within a certificate") }
        let begins = lines.count { $0.starts(with: begin.utf8) }
        guard begins > 0 else { throw TLSConfigurationError("\(source) has no certificate in PEM") }
        do {
            let certificates = try NIOSSLCertificate.fromPEMBytes(bytes)
            guard certificates.count == begins else { throw NIOSSLError.failedToLoadCertificate }
            return certificates
        } catch {
            throw TLSConfigurationError("a certificate in \(source) cannot be read: it is damaged")
        }
    }

    /// Whether each block has its end, and the last line is no beginning of a marker.
    private static func isWhole(_ lines: [ArraySlice<UInt8>]) -> Bool {
        guard let last = lines.last else { return true }
        let (begin, end) = ("-----BEGIN ", "-----END ")
        if last.first == UInt8(ascii: "-") {
            guard last.starts(with: end.utf8),
                last.dropFirst(end.utf8.count).suffix(5).elementsEqual("-----".utf8)
            else { return false }
        }
        return lines.count { $0.starts(with: begin.utf8) } == lines.count { $0.starts(with: end.utf8) }
    }
}
#endif
