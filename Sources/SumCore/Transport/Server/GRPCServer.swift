public import Logging
internal import NIOCore

/// A gRPC server: listens, and hosts methods.
public final class GRPCServer: Sendable {
    public typealias Configuration = ServerLimits

    /// The addresses the server listens on, as a client writes them: `127.0.0.1:50051`, `unix:/run/sum.sock`.
    public let addresses: [String]

    private let listeners: [Listener]
    private let connections: ConnectionRegistry

    private init(listeners: [Listener], connections: ConnectionRegistry) {
        self.listeners = listeners
        self.connections = connections
        addresses = listeners.compactMap { $0.channel.localAddress.map(\.text) }
    }

    /// Starts to serve.
    ///
    /// - Parameters:
    ///   - addresses: where to listen. All of them, or none.
    ///   - methods: what to host, such as `SumNumbers.method()`.
    ///   - configuration: the limits to keep.
    ///   - interceptors: asked about each call before its method is, the first one first.
    ///   - observers: told of connections and calls, beside the log.
    ///   - logger: gets a line per call at the level `debug`, and what goes wrong.
    /// - Throws: `Configuration.Invalid` when a limit is not in its range, or `ListenError` when an address cannot be
    ///   listened on.
    public static func start(
        listeningOn addresses: [ListenAddress], methods: [GRPCMethod], configuration: Configuration = .init(),
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
        // The kernel's limit comes after ours, which ends also the connections whose network is well, and says so.
        let userTimeout = TimeAmount(configuration.writeTimeout * 4 / 3)
        let loops = LoopResourcesByLoop()
        let binder = ListenerFactory(
            logger: logger, log: log, userTimeout: userTimeout,
            socketMode: configuration.unixSocketMode
        ) { channel in
            try connections.add(channel)
            let resources = loops.resources(of: channel.eventLoop)
            let receiving = resources.buffers.allocator(on: channel.eventLoop)
            try channel.syncOptions?.setOption(.recvAllocator, value: receiving)
            let connection = try ServerConnection(
                methods: methodsByPath, limits: configuration, observers: observers)
            try channel.pipeline.syncOperations.addHandler(
                ConnectionHandler(connection, resources: resources))
        }
        var listeners: [Listener] = []
        do {
            for address in addresses { listeners.append(try await binder.bind(address)) }
        } catch {
            for listener in listeners { await listener.close() }
            throw error
        }
        return GRPCServer(listeners: listeners, connections: connections)
    }

    /// Stops: refuses new connections and calls, and lets the calls in flight end.
    ///
    /// Every connection gets the two GOAWAY frames of a graceful end (RFC 9113 section 6.8).
    ///
    /// - Parameter limit: what is still open after it is cut; the clients of those calls see UNAVAILABLE.
    /// - Returns: whether all calls ended in time.
    @discardableResult
    public func shutdown(within limit: Duration = .seconds(25)) async -> Bool {
        for listener in listeners { await listener.close() }
        return await connections.drain(within: limit)
    }
}
