public import Logging
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// A gRPC server: listens, and hosts methods.
public final class GRPCServer: Sendable {
    /// The addresses the server listens on, as a client writes them: `127.0.0.1:50051`, `unix:/run/sum.sock`.
    public let addresses: [String]

    private let listeners: [any Channel]
    private let connections: ConnectionRegistry
    private let unixPaths: [String]

    private init(listeners: [any Channel], connections: ConnectionRegistry, unixPaths: [String]) {
        self.listeners = listeners
        self.connections = connections
        self.unixPaths = unixPaths
        addresses = listeners.compactMap { $0.localAddress.map(ListenAddress.describe) }
    }

    /// Starts to serve.
    ///
    /// - Parameters:
    ///   - addresses: where to listen. All of them, or none.
    ///   - methods: what to host, such as `SumNumbers.method()`.
    ///   - configuration: the limits to keep.
    ///   - logger: gets a line per call at the level `debug`, and what goes wrong.
    /// - Throws: `ListenError` when an address cannot be listened on.
    public static func start(
        listeningOn addresses: [ListenAddress], methods: [GRPCMethod], configuration: Configuration = .init(),
        logger: Logger = Logger(label: "sum-server")
    ) async throws -> GRPCServer {
        let connections = ConnectionRegistry()
        let methodsByPath = Dictionary(methods.map { ($0.path, $0) }) { _, last in last }
        let binder = ListenerBinder { channel in
            try connections.add(channel)
            let connection = try ServerConnection(
                methods: methodsByPath, configuration: configuration, logger: logger)
            try channel.pipeline.syncOperations.addHandler(connection)
        }
        var listeners: [any Channel] = []
        do {
            for address in addresses { listeners += try await binder.bind(address) }
        } catch {
            for listener in listeners { try? await listener.close() }
            throw error
        }
        let unixPaths = addresses.compactMap { if case .unix(let path) = $0 { path } else { nil } }
        return GRPCServer(listeners: listeners, connections: connections, unixPaths: unixPaths)
    }

    /// Stops: refuses new connections and calls, and lets the calls in flight end.
    ///
    /// Every connection gets the two GOAWAY frames of a graceful end (RFC 9113 section 6.8).
    ///
    /// - Parameter limit: what is still open after it is cut; the clients of those calls see UNAVAILABLE.
    /// - Returns: whether all calls ended in time.
    @discardableResult
    public func shutdown(within limit: Duration = .seconds(25)) async -> Bool {
        for listener in listeners { try? await listener.close() }
        for path in unixPaths { UnixSocketFile.remove(path) }
        return await connections.drain(within: limit)
    }
}

/// The open connections of a server.
private final class ConnectionRegistry: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var isDraining = false
    }

    private let state = Mutex(State())

    struct Draining: Error {}

    /// - Throws: `Draining` when the server is shutting down; the connection is then not served.
    func add(_ channel: any Channel) throws {
        let id = ObjectIdentifier(channel)
        try state.withLock { state in
            guard !state.isDraining else { throw Draining() }
            state.channels[id] = channel
        }
        channel.closeFuture.whenComplete { _ in
            self.state.withLock { _ = $0.channels.removeValue(forKey: id) }
        }
    }

    func drain(within limit: Duration) async -> Bool {
        let channels = state.withLock { state in
            state.isDraining = true
            return Array(state.channels.values)
        }
        guard let first = channels.first else { return true }
        for channel in channels {
            channel.pipeline.fireUserInboundEventTriggered(ServerConnection.Event.drain)
        }
        let wasCut = Mutex(false)
        let cut = first.eventLoop.scheduleTask(in: .nanoseconds(limit.wholeNanoseconds)) {
            wasCut.withLock { $0 = true }
            for channel in channels { channel.close(promise: nil) }
        }
        try? await EventLoopFuture.andAllComplete(channels.map(\.closeFuture), on: first.eventLoop).get()
        cut.cancel()
        return wasCut.withLock { !$0 }
    }
}
