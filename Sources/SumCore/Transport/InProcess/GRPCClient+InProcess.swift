internal import NIOCore

extension GRPCClient {
    /// Creates a client of a server in this process, which it reaches over memory instead of a socket. The server need not
    /// listen on any address.
    ///
    /// Everything else is as over a socket: calls, metadata, deadlines, limits, flow control, interceptors and observers.
    /// It is made for the tests of one's own methods. What a configuration says of TLS and proxies has no meaning; the
    /// connection counts as private, so credentials are sent.
    ///
    /// - Parameters:
    ///   - server: the server.
    ///   - configuration: the settings of the client.
    public convenience init(inProcess server: GRPCServer, configuration: Configuration = .init()) {
        var configuration = configuration
        configuration.tls = nil
        self.init(
            target: InProcessResolver.target, configuration: configuration, resolver: InProcessResolver(),
            inProcess: { keepalive, loop async throws(ConnectFailure) in
                try await server.factory.connect(keepalive, on: loop)
            })
    }
}

/// The one address of a server in this process.
private struct InProcessResolver: Resolver {
    /// What the two ends see as the address of the other.
    static let name = "in-process"
    static let target = Target(
        description: name, endpoints: [.unix(path: name)], authority: "localhost")

    var isStatic: Bool { true }

    func resolve() async -> Resolution {
        // It stands for the connection in the balancer; nobody connects a socket to it.
        guard let placeholder = try? SocketAddress(unixPath: Self.name) else { return Resolution() }
        return Resolution(addresses: [ServerAddress(socketAddress: placeholder, description: Self.name)])
    }
}

extension ServerConnectionFactory {
    /// Connects a client's end to a server's, and waits until it is ready for calls.
    fileprivate func connect(
        _ keepalive: Keepalive?, on loop: any EventLoop
    ) async throws(ConnectFailure) -> ReadyConnection {
        do {
            return try await loop.flatSubmit { join(keepalive, on: loop) }.get()
        } catch {
            throw error as? ConnectFailure ?? ConnectFailure(description: "\(error)")
        }
    }

    /// Joins a client's connection and a server's by two channels.
    private func join(_ keepalive: Keepalive?, on loop: any EventLoop) -> EventLoopFuture<ReadyConnection> {
        let (near, far) = MemoryChannel.pair(on: loop)
        let ready = loop.makePromise(of: Void.self)
        let goingAway = loop.makePromise(of: Void.self)
        near.closeFuture.whenComplete { _ in goingAway.succeed() }
        do {
            let connection = try ClientConnection(security: .unix, keepalive: keepalive) {
                ready.completeWith($0.mapError { $0 })
            } goingAway: {
                goingAway.succeed()
            }
            let handler = ConnectionHandler(connection)
            handler.peerAddress = InProcessResolver.name
            try near.pipeline.syncOperations.addHandler(handler)
            try prepare(far, named: InProcessResolver.name)
            far.open()
            near.open()
            let result = ReadyConnection(
                peer: Peer(address: InProcessResolver.name), channel: near,
                handler: NIOLoopBound(handler, eventLoop: loop), goingAway: goingAway.futureResult)
            return ready.futureResult.map { result }
        } catch {
            near.close(promise: nil)
            far.close(promise: nil)
            ready.fail(error)
            let words = error is ConnectionRefusal ? "the server takes no more connections" : "\(error)"
            return loop.makeFailedFuture(ConnectFailure(description: words))
        }
    }
}
