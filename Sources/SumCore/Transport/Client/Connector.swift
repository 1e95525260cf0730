internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// Connects to one address.
struct Connector {
    let address: ServerAddress
    /// How long the server may take to accept the connection, and again for TLS and its SETTINGS.
    let limit: Duration
    let keepalive: Keepalive?
    /// Nil: clear text.
    let tls: ClientTLS?
    let eventLoop: any EventLoop
    /// Called when a TLS handshake has ended, on the event loop.
    let handshakeEnded: @Sendable (TLSHandshakeResult) -> Void
    /// Called when the attempt waits for something else than before.
    let report: @Sendable (String) -> Void

    static let silence = "the server took the connection but said nothing"
    static let tlsSilence =
        "the server took the connection but did not end the TLS handshake: does it speak TLS on this port?"

    /// Makes one attempt. It ends when it succeeds or fails, or when its task is cancelled.
    func connect() async throws(ConnectFailure) -> ReadyConnection {
        let limit = TimeAmount.nanoseconds(limit.wholeNanoseconds)
        let pending = Mutex<PendingConnection?>(nil)
        if let tls, tls.isDue { try? await NIOThreadPool.singleton.runIfActive { tls.refresh() } }
        do {
            return try await withTaskCancellationHandler {
                let channel = try await open(within: limit) { new in pending.withLock { $0 = new } }
                guard let connection = pending.withLock({ $0 }), !Task.isCancelled else {
                    throw ConnectFailure(description: "connecting was cancelled")
                }
                if address.tunnel == nil { report(tls == nil ? Self.silence : Self.tlsSilence) }
                let secured = try await connection.completed(within: limit)
                return ReadyConnection(
                    peer: Peer(
                        address: address.tunnel?.target ?? channel.remoteAddress.map(\.text)
                            ?? address.description,
                        certificate: secured.certificate, tlsVersion: secured.version),
                    channel: channel, handler: connection.handler, goingAway: connection.goingAway)
            } onCancel: {
                pending.withLock { $0 }?.channel.close(promise: nil)
            }
        } catch let error as ConnectFailure {
            throw tls?.explained(error) ?? error
        } catch {
            let reason = FailureText.describe(error)
            throw ConnectFailure(
                description: address.tunnel?.proxyFailure(reason) ?? reason, isTemporary: true)
        }
    }

    /// What TLS has found out; nothing without it.
    private typealias Secured = (certificate: PeerCertificate?, version: Peer.TLSVersion?)

    /// Opens the socket.
    ///
    /// - Parameter begin: is given the connection before the socket is connected.
    private func open(
        within limit: TimeAmount, begin: @escaping @Sendable (PendingConnection) -> Void
    ) async throws -> any Channel {
        try await bootstrap(limit)
            .channelInitializer { channel in
                let (ready, goingAway) = (
                    channel.eventLoop.makePromise(of: Secured.self),
                    channel.eventLoop.makePromise(of: Void.self)
                )
                channel.closeFuture.whenComplete { _ in goingAway.succeed() }
                return channel.eventLoop.makeCompletedFuture {
                    do {
                        // Added before the channel reads, so that none of the server's bytes are lost.
                        let pipeline = channel.pipeline.syncOperations
                        let tunnel = address.tunnel.map { tunnelHandler($0, ready) }
                        if let tunnel { try pipeline.addHandler(tunnel) }
                        let secured = try tls?.addHandlers(
                            to: channel, host: address.host ?? "", handshakeEnded: handshakeEnded)
                        let handler = ConnectionHandler(
                            try ClientConnection(
                                security: tls == nil ? address.security : .tls, keepalive: keepalive
                            ) {
                                ready.completeWith(
                                    $0.map { (secured?.certificate, secured?.version) }
                                        .mapError { $0.behind(address.tunnel) })
                            } goingAway: {
                                goingAway.succeed()
                            })
                        try pipeline.addHandler(handler)
                        let loop = channel.eventLoop
                        begin(
                            PendingConnection(
                                channel: channel, handler: NIOLoopBound(handler, eventLoop: loop),
                                tunnel: tunnel.map { NIOLoopBound($0, eventLoop: loop) },
                                tls: secured.map { NIOLoopBound($0, eventLoop: loop) },
                                ready: ready.futureResult, goingAway: goingAway.futureResult))
                    } catch {
                        ready.fail(error)
                        throw error
                    }
                }
            }
            .connect(to: address.socketAddress).get()
    }

    private func tunnelHandler(
        _ tunnel: Tunnel, _ ready: EventLoopPromise<Secured>
    ) -> TunnelHandler {
        TunnelHandler(tunnel) { progress in
            switch progress {
            case .asked: report(TunnelHandshake(tunnel).silence.description)
            case .established: report(tunnel.serverFailure(tls == nil ? Self.silence : Self.tlsSilence))
            case .failed(let failure): ready.fail(failure)
            }
        }
    }

    private func bootstrap(_ limit: TimeAmount) -> ClientBootstrap {
        var bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(limit)
            .channelOption(.recvAllocator, value: SocketBuffers.readAllocator)
        if case .unixDomainSocket = address.socketAddress { return bootstrap }
        bootstrap = bootstrap.channelOption(
            .tcpOption(.tcp_notsent_lowat), value: SocketBuffers.unsentLimit)
        guard let keepalive else { return bootstrap }
        // Data sent into a dead network ends the connection as soon as a PING would (grpc/proposal A18).
        return bootstrap.channelOption(
            .tcpOption(.tcp_user_timeout), value: keepalive.timeout.asUserTimeout)
    }

    /// A connection that is not ready yet.
    private struct PendingConnection: Sendable {
        var channel: any Channel
        var handler: NIOLoopBound<ConnectionHandler<ClientConnection>>
        /// Asks a proxy for a tunnel first.
        var tunnel: NIOLoopBound<TunnelHandler>?
        var tls: NIOLoopBound<TLSHandler>?
        /// Completes when the server's SETTINGS have arrived.
        var ready: EventLoopFuture<Secured>
        var goingAway: EventLoopFuture<Void>

        func completed(within limit: TimeAmount) async throws -> Secured {
            let silence = channel.eventLoop.scheduleTask(in: limit) { [handler, tunnel, tls] in
                guard tunnel?.value.giveUp() != true else { return }
                let words = tls?.value.isHandshaking == true ? Connector.tlsSilence : Connector.silence
                handler.value.run { $0.giveUp(words) }
            }
            defer { silence.cancel() }
            return try await ready.get()
        }
    }
}
