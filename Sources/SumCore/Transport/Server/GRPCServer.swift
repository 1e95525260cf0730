public import Logging
internal import NIOCore

/// A gRPC server: it listens on addresses and hosts methods. Its methods may be called from any thread.
public final class GRPCServer: Sendable {
    /// The limits of the server.
    public typealias Configuration = ServerLimits

    /// The addresses that the server listens on. Their descriptions are what a client writes: `127.0.0.1:50051`,
    /// `unix:/run/sum.sock`.
    public let addresses: [NetworkAddress]

    private let listeners: [Listener]
    let factory: ServerConnectionFactory
    var connections: ConnectionRegistry { factory.registry }
    /// Ends when the server has stopped.
    private let (stopped, stop) = AsyncStream.makeStream(of: Void.self)

    private init(listeners: [Listener], factory: ServerConnectionFactory) {
        self.listeners = listeners
        self.factory = factory
        addresses = listeners.compactMap { $0.channel.localAddress.flatMap(NetworkAddress.init) }
    }

    /// Starts a server that speaks clear text on all its addresses.
    ///
    /// - Parameters:
    ///   - addresses: where to listen. With none, only clients in this process reach the server
    ///     (`GRPCClient.init(inProcess:configuration:)`).
    ///   - methods: the methods to host, such as `SumNumbers.method()`.
    ///   - configuration: the limits to enforce.
    ///   - interceptors: called for each call before its method, the first one first.
    ///   - observers: observe connections and calls, in addition to the log.
    ///   - logger: gets one line per call at level `debug`, and lines about problems.
    /// - Throws: `Configuration.Invalid` if a limit is out of range; `DuplicateMethod` if two methods have one path;
    ///   `ListenError` if the server cannot listen on an address.
    public static func start(
        listeningOn addresses: [ListenAddress], methods: [GRPCMethod], configuration: Configuration = .init(),
        interceptors: [any ServerInterceptor] = [], observers: [any ServerObserver] = [],
        logger: Logger = Logger(label: "SumCore.GRPCServer")
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
    /// - Throws: `Configuration.Invalid` if a limit is out of range; `DuplicateMethod` if two methods have one path;
    ///   `ListenError` if the server cannot listen on an address.
    public static func start(
        listeningOn endpoints: [ListenEndpoint], methods: [GRPCMethod],
        configuration: Configuration = .init(),
        interceptors: [any ServerInterceptor] = [], observers: [any ServerObserver] = [],
        logger: Logger = Logger(label: "SumCore.GRPCServer")
    ) async throws -> GRPCServer {
        try configuration.validate()
        let methodsByPath = try byPath(methods.map { $0.intercepted(by: interceptors) })
        for warning in Set(methods.compactMap(\.warning)).sorted() { logger.warning("\(warning)") }
        let connections = ConnectionRegistry(
            limit: configuration.maxConnections ?? FileDescriptorLimit.current / 5 * 4, logger: logger)
        let log = ServerLog(logger: logger)
        let observers = [log] + observers
        // The kernel's timeout comes after ours, which also ends connections whose network works, and gives the reason.
        let userTimeout = TimeAmount(configuration.writeTimeout * 4 / 3)
        let factory = ServerConnectionFactory(
            methods: methodsByPath, limits: configuration, observers: observers, registry: connections,
            log: log)
        let binder = ListenerFactory(
            logger: logger, log: log, userTimeout: userTimeout,
            socketMode: configuration.unixSocketMode, observers: observers
        ) { channel, endpoint in
            try factory.prepare(channel, of: endpoint)
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
        return GRPCServer(listeners: listeners, factory: factory)
    }

    private static func byPath(_ methods: [GRPCMethod]) throws(DuplicateMethod) -> [String: GRPCMethod] {
        var methodsByPath: [String: GRPCMethod] = [:]
        for method in methods where methodsByPath.updateValue(method, forKey: method.path) != nil {
            throw DuplicateMethod(path: method.path)
        }
        return methodsByPath
    }

    /// Serves until the server is stopped by `shutdown`, or the task is cancelled, which stops it, too. Returns when it has
    /// stopped.
    ///
    /// - Parameter limit: the time for open calls to finish after the task was cancelled.
    public func run(shutdownWithin limit: Duration = .seconds(25)) async {
        for await _ in stopped {}
        if Task.isCancelled { await shutdown(within: limit) }
    }

    /// Stops the server: refuses new connections and calls, and lets open calls finish.
    ///
    /// Every connection gets the two GOAWAY frames of a graceful shutdown (RFC 9113 section 6.8). A second call, such as one
    /// with a shorter limit, ends what the first has left.
    ///
    /// - Parameter limit: the time after which open connections are cut; the clients of their calls see UNAVAILABLE.
    /// - Returns: whether all calls ended in time.
    @discardableResult
    public func shutdown(within limit: Duration = .seconds(25)) async -> Bool {
        for observer in factory.observers { observer.drainBegan() }
        for listener in listeners { await listener.close() }
        let allEnded = await connections.drain(within: limit)
        stop.finish()
        return allEnded
    }
}
