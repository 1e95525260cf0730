public import Logging
internal import NIOCore

/// A gRPC server: it listens on addresses and hosts methods. Its methods may be called from any thread.
public final class GRPCServer: Sendable {
    /// The limits of the server.
    public typealias Configuration = ServerLimits

    /// The addresses that the server listens on, as a client writes them: `127.0.0.1:50051`, `unix:/run/sum.sock`.
    public let addresses: [String]

    private let listeners: [Listener]
    let connections: ConnectionRegistry
    private let observers: [any ServerObserver]

    private init(
        listeners: [Listener], connections: ConnectionRegistry, observers: [any ServerObserver]
    ) {
        self.listeners = listeners
        self.connections = connections
        self.observers = observers
        addresses = listeners.compactMap { $0.channel.localAddress.map(\.text) }
    }

    /// Starts a server that speaks clear text on all its addresses.
    ///
    /// - Parameter addresses: where to listen. See the method below for everything else.
    public static func start(
        listeningOn addresses: [ListenAddress], methods: [GRPCMethod], configuration: Configuration = .init(),
        interceptors: [any ServerInterceptor] = [], observers: [any ServerObserver] = [],
        logger: Logger = Logger(label: "sum-server")
    ) async throws -> GRPCServer {
        try await start(
            listeningOn: addresses.map { ListenEndpoint($0) }, methods: methods, configuration: configuration,
            interceptors: interceptors, observers: observers, logger: logger)
    }

    /// Starts a server.
    ///
    /// - Parameters:
    ///   - endpoints: where to listen, and how. The server listens on all of them or fails.
    ///   - methods: the methods to host, such as `SumNumbers.method()`.
    ///   - configuration: the limits to enforce.
    ///   - interceptors: called for each call before its method, the first one first.
    ///   - observers: observe connections and calls, in addition to the log.
    ///   - logger: gets one line per call at level `debug`, and lines about problems.
    /// - Throws: `Configuration.Invalid` if a limit is out of range; `ListenError` if the server cannot listen on an
    ///   address.
    public static func start(
        listeningOn endpoints: [ListenEndpoint], methods: [GRPCMethod],
        configuration: Configuration = .init(),
        interceptors: [any ServerInterceptor] = [], observers: [any ServerObserver] = [],
        logger: Logger = Logger(label: "sum-server")
    ) async throws -> GRPCServer {
        try configuration.validate()
        for warning in Set(methods.compactMap(\.warning)).sorted() { logger.warning("\(warning)") }
        let connections = ConnectionRegistry(
            limit: configuration.maxConnections ?? FileDescriptorLimit.current / 5 * 4, logger: logger)
        let log = ServerLog(logger: logger)
        let observers = [log] + observers
        let methodsByPath = Dictionary(
            methods.map { ($0.path, $0.intercepted(by: interceptors)) }, uniquingKeysWith: { _, last in last }
        )
        // The kernel's timeout comes after ours, which also ends connections whose network works, and gives the reason.
        let userTimeout = TimeAmount(configuration.writeTimeout * 4 / 3)
        let loops = LoopResourcesByLoop()
        let identification = PeerIdentification(configuration, log: log, observers: observers)
        let callCounter = configuration.maxCallsPerCaller.map(CallCounter.init)
        let binder = ListenerFactory(
            logger: logger, log: log, userTimeout: userTimeout,
            socketMode: configuration.unixSocketMode, observers: observers
        ) { channel, endpoint in
            try connections.add(channel)
            let resources = loops.resources(of: channel.eventLoop)
            let connection = try ServerConnection(
                methods: methodsByPath, limits: configuration, observers: observers, callCounter: callCounter,
                memory: resources.sessions)
            let handler = ConnectionHandler(
                connection, resources: resources, borrowsBuffers: endpoint.tls == nil)
            try identification.begin(channel, handler)
            if let tls = endpoint.tls {
                try tls.addHandlers(
                    to: channel, limit: TimeAmount(configuration.handshakeTimeout), resources: resources
                ) { [handler, address = channel.remoteAddress] result in
                    let peer = Peer(address: handler.peerAddress ?? address.map(\.text) ?? "")
                    for observer in observers { observer.handshakeEnded(result, peer) }
                }
            } else {
                let receiving = resources.buffers.allocator(on: channel.eventLoop)
                try channel.syncOptions?.setOption(.recvAllocator, value: receiving)
            }
            try channel.pipeline.syncOperations.addHandler(handler)
        }
        var listeners: [Listener] = []
        do {
            for endpoint in endpoints { listeners.append(try await binder.bind(endpoint)) }
        } catch {
            for listener in listeners { await listener.close() }
            throw error
        }
        for notAfter in Set(endpoints.compactMap { $0.tls?.notAfter }) {
            for observer in observers { observer.certificateUsed(notAfter: notAfter) }
        }
        return GRPCServer(listeners: listeners, connections: connections, observers: observers)
    }

    /// Stops the server: refuses new connections and calls, and lets open calls finish.
    ///
    /// Every connection gets the two GOAWAY frames of a graceful shutdown (RFC 9113 section 6.8).
    ///
    /// - Parameter limit: the time after which open connections are cut; the clients of their calls see UNAVAILABLE.
    /// - Returns: whether all calls ended in time.
    @discardableResult
    public func shutdown(within limit: Duration = .seconds(25)) async -> Bool {
        for observer in observers { observer.drainBegan() }
        for listener in listeners { await listener.close() }
        return await connections.drain(within: limit)
    }
}
