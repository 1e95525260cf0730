internal import NIOCore

/// A pipeline event: TLS has secured a connection. It comes before the channel becomes active for the connection.
struct SecuredTransport {
    /// The certificate that the peer has shown, verified.
    var certificate: PeerCertificate?
    var version: Peer.TLSVersion?
    /// When the socket was connected, before the handshake of TLS.
    var connectedAt: NIODeadline
}
