internal import NIOCore
internal import NIOPosix
public import SwiftProtobuf
internal import Synchronization

/// A client of one gRPC server. It has one connection for any number of concurrent calls, and reconnects when it is
/// lost.
///
/// The connection stays open until `close` is called. All methods may be called from any thread.
public final class GRPCClient: ConnectionSource {
    private let target: Target
    let configuration: Configuration
    /// All connections of the client run on this loop.
    let eventLoop: any EventLoop
    /// Runs tasks on the thread that serves the client's connection.
    ///
    /// A task that prefers this executor (`withTaskExecutorPreference`) makes many short calls, or streams many
    /// numbers, at less cost, since nothing is handed between threads. It must not block, and its computations hold up
    /// the connection.
    public let executor: any TaskExecutor

    private struct State {
        var current: ReadyConnection?
        /// The connection attempt that all waiting calls share.
        var dial: Task<Result<ReadyConnection, GRPCStatus>, Never>?
        /// The last failure to connect since there was a connection.
        var dialFailure: String?
        /// Calls waiting for a connection or a retry.
        var waiting: [ObjectIdentifier: Waiting] = [:]
        /// All connections, including those that only finish their last calls.
        var open: [ObjectIdentifier: ReadyConnection] = [:]
        var isClosed = false
        /// Doubled when a server complains about too many PINGs (grpc/proposal A8).
        var keepaliveTime: Duration?
    }

    private struct Waiting {
        var call: RetryingCall
        var task: Task<Void, Never>
    }

    private let state: Mutex<State>

    /// The minimum interval between PINGs.
    private static let keepaliveFloor = Duration.seconds(10)

    /// Creates a client that connects when it makes its first call.
    public init(target: Target, configuration: Configuration = .init()) {
        self.target = target
        self.configuration = configuration
        eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        executor = EventLoopExecutor(eventLoop)
        state = Mutex(State(keepaliveTime: configuration.keepaliveTime.map { max($0, Self.keepaliveFloor) }))
    }

    /// Creates a client and connects it.
    ///
    /// - Parameter timeout: the time to try, now and on every reconnection.
    /// - Throws: see `connect()`.
    public static func connect(
        to target: Target, timeout: Duration = .seconds(2)
    ) async throws(GRPCStatus) -> GRPCClient {
        var configuration = Configuration()
        configuration.connectTimeout = timeout
        let client = GRPCClient(target: target, configuration: configuration)
        try await client.connect()
        return client
    }

    /// Connects if there is no connection, and waits until the server is ready for calls.
    ///
    /// All addresses of the target are tried, IPv6 and IPv4 concurrently (RFC 8305). If the connection is refused, the
    /// client retries with growing pauses until the time is up, so the server may still be starting.
    ///
    /// - Returns: the connected address, such as `127.0.0.1:50051`.
    /// - Throws: UNAVAILABLE, with the reason for every address, if the time is up or retrying is pointless.
    @discardableResult
    public func connect() async throws(GRPCStatus) -> String {
        try await connected().peer.address
    }

    // MARK: Calls

    /// Begins a call of any of the four kinds.
    ///
    /// - Parameter path: `/package.Service/Method`.
    public func call<Request: Message, Response: Message>(
        _ path: String, options: GRPCCallOptions = .init(), sending: Request.Type = Request.self,
        receiving: Response.Type = Response.self
    ) -> GRPCClientCall<Request, Response> {
        let exchange = AsyncClientCall(maxMessageSize: configuration.maxMessageSize)
        let control = start(path, options, handler: exchange)
        return GRPCClientCall(exchange: exchange, control: control, compression: options.compression)
    }

    /// Calls a method with one request and one response message.
    ///
    /// - Parameter path: `/package.Service/Method`.
    /// - Throws: the call's `GRPCStatus` unless it succeeded with exactly one response.
    public func unary<Request: Message, Response: Message>(
        _ path: String, _ request: Request, options: GRPCCallOptions = .init()
    ) async throws(GRPCStatus) -> Response {
        let call = call(path, options: options, sending: Request.self, receiving: Response.self)
        try await call.send(request)
        return try await call.closeAndReceive()
    }

    func start(
        _ path: String, _ options: GRPCCallOptions, handler: any ClientCallHandler
    ) -> any ClientCallControl {
        let call = prepare(path, options, handler: handler)
        call.begin()
        return call
    }

    func prepare(
        _ path: String, _ options: GRPCCallOptions, handler: any ClientCallHandler
    ) -> RetryingCall {
        guard configuration.interceptors.isEmpty else {
            return prepareIntercepted(path, options, handler: handler)
        }
        return makeCall(path, options, handler: handler)
    }

    private func prepareIntercepted(
        _ path: String, _ options: GRPCCallOptions, handler: any ClientCallHandler
    ) -> RetryingCall {
        var options = options
        do throws(GRPCStatus) {
            for interceptor in configuration.interceptors { try interceptor.prepare(path, &options) }
        } catch {
            return makeCall(path, options, refusal: error, handler: handler)
        }
        return makeCall(path, options, handler: handler)
    }

    private func makeCall(
        _ path: String, _ options: GRPCCallOptions, refusal: GRPCStatus? = nil, handler: any ClientCallHandler
    ) -> RetryingCall {
        let request = GRPCRequestHead(
            path: path, authority: target.authority,
            userAgent: Version.userAgent(after: configuration.userAgent),
            compression: options.compression, metadata: options.metadata)
        return RetryingCall(
            self, request, options, refusal: refusal, observers: configuration.observers, handler: handler)
    }

    // MARK: Connections

    var current: ReadyConnection? { state.withLock { $0.current } }
    var isClosed: Bool { state.withLock { $0.isClosed } }

    var activity: String {
        let reason = state.withLock { $0.dialFailure }
        return "connecting to \(target)" + (reason.map { ": \($0)" } ?? "")
    }

    func connect(_ call: RetryingCall, after pause: Duration) {
        let isClosed = state.withLock { state in
            guard !state.isClosed else { return true }
            let task = Task {
                let result: Result<ReadyConnection, GRPCStatus>
                do throws(GRPCStatus) {
                    if pause > .zero { try? await Task.sleep(for: pause) }
                    result = .success(try await connected(for: call))
                } catch {
                    result = .failure(error)
                }
                stopWaiting(call)
                switch result {
                case .success(let connected): call.start(on: connected)
                case .failure(let status): call.fail(status)
                }
            }
            state.waiting[ObjectIdentifier(call)] = Waiting(call: call, task: task)
            return false
        }
        if isClosed { call.fail(.clientClosed) }
    }

    func stopConnecting(_ call: RetryingCall) {
        stopWaiting(call)?.task.cancel()
    }

    @discardableResult
    private func stopWaiting(_ call: RetryingCall) -> Waiting? {
        state.withLock { $0.waiting.removeValue(forKey: ObjectIdentifier(call)) }
    }

    private func connected(for call: RetryingCall) async throws(GRPCStatus) -> ReadyConnection {
        var backoff = Backoff(first: .milliseconds(100), longest: .seconds(120))
        while true {
            do throws(GRPCStatus) {
                return try await connected()
            } catch {
                guard call.waitsForReady, !call.isOver, !isClosed else { throw error }
                try? await Task.sleep(for: backoff.next())
            }
        }
    }

    /// Returns the connection for a new call, and connects if there is none.
    private func connected() async throws(GRPCStatus) -> ReadyConnection {
        let dial = try state.withLock { state throws(GRPCStatus) in
            guard !state.isClosed else {
                throw .clientClosed
            }
            if let current = state.current { return Task { Result<_, GRPCStatus>.success(current) } }
            if let dial = state.dial { return dial }
            let dial = Task { await self.dial() }
            state.dial = dial
            return dial
        }
        return try await dial.value.get()
    }

    private func dial() async -> Result<ReadyConnection, GRPCStatus> {
        let connector = Connector(
            target: target, limit: configuration.connectTimeout, keepalive: keepalive,
            eventLoop: eventLoop, report: { reason in self.state.withLock { $0.dialFailure = reason } })
        do throws(GRPCStatus) {
            let connected = try await connector.connect()
            guard adopt(connected) else {
                connected.channel.close(promise: nil)
                throw GRPCStatus(code: .cancelled, message: "the client has been closed")
            }
            return .success(connected)
        } catch {
            state.withLock { $0.dial = nil }
            return .failure(error)
        }
    }

    /// - Returns: false if the client has been closed in the meantime.
    private func adopt(_ connected: ReadyConnection) -> Bool {
        let id = ObjectIdentifier(connected.channel)
        let isWanted = state.withLock { state in
            state.dial = nil
            state.dialFailure = nil
            guard !state.isClosed else { return false }
            state.current = connected
            state.open[id] = connected
            return true
        }
        guard isWanted else { return false }
        let observers = configuration.observers
        if !observers.isEmpty {
            connected.channel.eventLoop.execute {
                for observer in observers { observer.connectionOpened(connected.peer) }
            }
        }
        connected.channel.closeFuture.whenComplete { _ in
            self.discard(connected)
            let connection = connected.handler.value.connection
            let hasPingedTooOften = connection.hasPingedTooOften
            for observer in observers {
                observer.connectionClosed(connected.peer, connection.lossReason)
            }
            self.state.withLock { state in
                state.open[id] = nil
                if hasPingedTooOften { state.keepaliveTime = state.keepaliveTime.map { $0 * 2 } }
            }
        }
        return true
    }

    var keepalive: Keepalive? {
        state.withLock { $0.keepaliveTime }.map { time in
            Keepalive(
                time: .nanoseconds(time.wholeNanoseconds),
                timeout: .nanoseconds(configuration.keepaliveTimeout.wholeNanoseconds),
                withoutCalls: configuration.keepaliveWithoutCalls, now: .now())
        }
    }

    func discard(_ connected: ReadyConnection) {
        state.withLock { state in
            if state.current?.channel === connected.channel { state.current = nil }
        }
    }

    /// How long a server that has stopped reading may delay closing its connection.
    private static let closeLimit = TimeAmount.milliseconds(500)

    /// Closes the connection. Calls that are still open end with CANCELLED.
    public func close() async {
        let (open, waiting) = state.withLock { state in
            state.isClosed = true
            state.current = nil
            state.dial?.cancel()
            defer { state.waiting = [:] }
            return (Array(state.open.values), Array(state.waiting.values))
        }
        for waiting in waiting {
            waiting.task.cancel()
            waiting.call.fail(GRPCStatus(code: .cancelled, message: "the client has been closed"))
        }
        for connected in open {
            let handler = connected.handler
            connected.channel.eventLoop.execute {
                handler.value.run { $0.shutDown(within: Self.closeLimit) }
            }
        }
        for connected in open { try? await connected.channel.closeFuture.get() }
    }
}

extension GRPCStatus {
    fileprivate static let clientClosed = GRPCStatus(
        code: .unavailable, message: "the client has been closed")
}
