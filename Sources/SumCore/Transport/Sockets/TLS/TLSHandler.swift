#if TLS
internal import NIOCore
internal import NIOSSL
internal import NIOTLS

/// Stands between TLS and a connection. The connection notices nothing before the handshake has succeeded, its peer's
/// name is verified and HTTP/2 is agreed on; for it, the channel becomes active then. Errors of TLS reach it as a
/// `CloseReason` with words.
final class TLSHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    enum Role {
        case server(clientCAs: PEMSource?, minimum: TLSMinimum)
        case client(CertificateName, roots: PEMSource, hasCertificate: Bool)
    }

    private enum Phase {
        case handshaking
        case open
        /// The connection has been told why it ends, or the channel is closed.
        case over
    }

    private let ssl: NIOSSLHandler
    private let role: Role
    private let limit: TimeAmount?
    private let alerts: AlertDelivery?
    private let peerHasBegun: () -> Bool
    private let handshakeEnded: (TLSHandshakeResult) -> Void
    private var phase = Phase.handshaking
    private var connectedAt = NIODeadline.distantPast
    private var timer: Scheduled<Void>?
    /// Whether the peer has sent anything over TLS.
    private var hasReceived = false
    /// Whether TLS gets a read in pieces, each as if it were a whole one.
    private var isInLongRead = false
    /// A failure that says little, kept for the case that nothing better follows.
    private var vagueFailure: TLSFailure?
    /// The peer's certificate, once it is verified.
    private(set) var certificate: PeerCertificate?
    /// The version of TLS, once the handshake has succeeded. Older ones are not accepted.
    private(set) var version: Peer.TLSVersion?

    /// - Parameters:
    ///   - ssl: the handler before this one.
    ///   - limit: how long the handshake may take; nil if somebody else watches the time.
    ///   - alerts: stands before TLS, and is removed when the handshake has succeeded.
    ///   - handshakeEnded: called once, when the handshake has succeeded or failed.
    ///   - peerHasBegun: whether the peer has sent anything.
    init(
        _ ssl: NIOSSLHandler, _ role: Role, limit: TimeAmount?, alerts: AlertDelivery? = nil,
        handshakeEnded: @escaping (TLSHandshakeResult) -> Void,
        peerHasBegun: @escaping () -> Bool = { true }
    ) {
        (self.ssl, self.role, self.limit, self.alerts) = (ssl, role, limit, alerts)
        (self.handshakeEnded, self.peerHasBegun) = (handshakeEnded, peerHasBegun)
    }

    var isHandshaking: Bool { phase == .handshaking }

    // MARK: The handshake

    func channelActive(context: ChannelHandlerContext) {
        connectedAt = context.eventLoop.now
        guard let limit else { return }
        let loopBound = NIOLoopBound(context, eventLoop: context.eventLoop)
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: limit) { [weak self] () -> Void in
            guard let self, phase == .handshaking else { return }
            fail(.timeout, loopBound.value)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case TLSUserEvent.handshakeCompleted(let negotiated): complete(context, negotiated)
        case TLSUserEvent.shutdownCompleted: break
        case EncryptedReads.LongRead.begins: isInLongRead = true
        case EncryptedReads.LongRead.ended:
            isInLongRead = false
            context.fireChannelReadComplete()
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    private func complete(_ context: ChannelHandlerContext, _ negotiated: String?) {
        guard phase == .handshaking else { return }
        timer?.cancel()
        let facts = ssl.peerCertificate.map(CertificateFacts.init)
        guard negotiated == TLSSettings.alpn else { return fail(.noHTTP2(role), context) }
        if case .client(let name, _, _) = role, !name.matches(facts?.identities ?? []) {
            return fail(.wrongName(name, facts), context)
        }
        phase = .open
        if let alerts { context.pipeline.syncOperations.removeHandler(alerts, promise: nil) }
        handshakeEnded(.success)
        version = ssl.tlsVersion == .tlsv13 ? .tls13 : .tls12
        certificate = facts.map { PeerCertificate(identities: $0.identities) }
        context.fireUserInboundEventTriggered(
            SecuredTransport(certificate: certificate, version: version, connectedAt: connectedAt))
        context.fireChannelActive()
    }

    // MARK: Data

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        hasReceived = true
        guard phase == .open else { return }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if !isInLongRead { context.fireChannelReadComplete() }
    }

    // MARK: Failures

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The client does not speak TLS.
        if let reason = error as? CloseReason { return end(reason, .unexpectedMessage, context) }
        if isHandshaking { alerts?.handshakeFailed() }
        guard phase != .over, !TLSFailure.isNoise(error) else { return }
        let facts = ssl.peerCertificate.map(CertificateFacts.init)
        let failure = TLSFailure(error, role, facts, isHandshaking: isHandshaking, now: .now)
        if failure.isVague {
            vagueFailure = vagueFailure ?? failure
        } else {
            fail(failure, context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        if var failure = lastFailure {
            // A client that connects and says nothing may only check whether somebody listens.
            if case .server = role, peerHasBegun() { failure = .rejected }
            fail(failure, context)
        }
        phase = .over
        context.fireChannelInactive()
    }

    /// Why the channel has closed, if nothing better is known.
    private var lastFailure: TLSFailure? {
        switch (phase, role) {
        case (.handshaking, _):
            vagueFailure ?? .closed(role, isHandshaking: true, isKnown: ssl.peerCertificate != nil)
        // A server may refuse our certificate without a word.
        case (.open, .client) where !hasReceived: .closed(role, isHandshaking: false, isKnown: true)
        // The end of HTTP/2 shows whether anything is missing.
        case (.open, _), (.over, _): nil
        }
    }

    private func fail(_ failure: TLSFailure, _ context: ChannelHandlerContext) {
        end(failure.closeReason, failure.result, context)
    }

    private func end(
        _ reason: CloseReason, _ result: TLSHandshakeResult, _ context: ChannelHandlerContext
    ) {
        guard phase != .over else { return }
        if phase == .handshaking { handshakeEnded(result) }
        phase = .over
        timer?.cancel()
        context.fireErrorCaught(reason)
    }
}
#endif
