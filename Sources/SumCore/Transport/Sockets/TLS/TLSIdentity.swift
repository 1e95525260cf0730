/// A certificate with its key: what one end of a connection shows to the other.
public struct TLSIdentity: Hashable, Sendable {
    /// The certificate, followed by those of the CAs between it and a root.
    public var certificate: PEMSource
    /// The certificate's private key.
    public var key: PEMSource
    /// What decrypts the key if it is encrypted: the first line of this source.
    public var passphrase: PEMSource?

    /// Creates an identity. Nothing is read yet.
    public init(certificate: PEMSource, key: PEMSource, passphrase: PEMSource? = nil) {
        self.certificate = certificate
        self.key = key
        self.passphrase = passphrase
    }

    var sources: [PEMSource] { [certificate, key] + (passphrase.map { [$0] } ?? []) }
}
