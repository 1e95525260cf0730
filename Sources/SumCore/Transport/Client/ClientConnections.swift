internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// The connections of a client, and the calls that wait for one. `LoadBalancer` decides; this class acts.
final class ClientConnections: Sendable {
    let eventLoop: any EventLoop
    /// Runs tasks on `eventLoop`.
    let executor: EventLoopExecutor
    let target: Target
    private let configuration: GRPCClient.Configuration
    private let resolver: any Resolver
    /// Connects to a server in this process; nil for servers that are reached by sockets.
    private let inProcess: InProcessConnector?

    typealias InProcessConnector =
        @Sendable (Keepalive?, any EventLoop) async throws(ConnectFailure) -> ReadyConnection
    typealias Balancer = LoadBalancer<ReadyConnection>

    struct State {
        var balancer: Balancer
        var waiting: [ObjectIdentifier: Waiting] = [:]
        /// Tasks that wait for the state to change.
        var watchers: [CheckedContinuation<Void, Never>] = []
        /// The attempts to connect, by subchannel.
        var attempts: [Int: Task<Void, Never>] = [:]
        /// All connections, including those that only finish their last calls.
        var open: [ObjectIdentifier: ReadyConnection] = [:]
        var timer: (moment: NIODeadline, task: Scheduled<Void>)?
        /// The addresses that observers know.
        var notedAddresses: [String] = []
        /// When addresses were first known.
        var resolvedAt: NIODeadline?
        var isClosed = false
        /// Doubled when a server complains about too many PINGs (grpc/proposal A8).
        var keepaliveTime: Duration?
    }

    struct Waiting {
        var waiter: any ConnectionWaiter
        var avoided: ReadyConnection?
        /// The pause before it looks for a connection; nil once it has passed.
        var pause: Scheduled<Void>?
    }

    /// What a step of the balancer leads to, done after the lock is released.
    private struct Consequences {
        var actions: [Balancer.Action] = []
        var starts: [(any ConnectionWaiter, ReadyConnection)] = []
        var failures: [(any ConnectionWaiter, GRPCStatus)] = []
        var watchers: [CheckedContinuation<Void, Never>] = []
    }

    let state: Mutex<State>

    /// The minimum interval between PINGs.
    private static let keepaliveFloor = Duration.seconds(10)

    init(
        target: Target, configuration: GRPCClient.Configuration, resolver: any Resolver,
        inProcess: InProcessConnector? = nil
    ) {
        self.target = target
        self.inProcess = inProcess
        self.configuration = configuration
        self.resolver = resolver
        eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        executor = EventLoopExecutor(eventLoop)
        state = Mutex(
            State(
                balancer: LoadBalancer(
                    targetName: target.description, policy: configuration.loadBalancing,
                    patience: .nanoseconds(configuration.connectTimeout.wholeNanoseconds),
                    isStatic: resolver.isStatic),
                // Addresses that nobody is asked for are known from the beginning.
                resolvedAt: resolver.isStatic ? .distantPast : nil,
                keepaliveTime: configuration.keepaliveTime.map { max($0, Self.keepaliveFloor) }))
    }

    // MARK: Steps

    /// Tells the balancer what has happened, and does what follows. Once the client has been closed, nothing follows.
    func step(_ event: @Sendable (inout Balancer, NIODeadline) -> [Balancer.Action]) {
        let now = NIODeadline.now()
        let consequences = state.withLock { state -> Consequences in
            guard !state.isClosed else { return Consequences() }
            let before = state.balancer.state
            var consequences = Consequences(actions: event(&state.balancer, now))
            settleWaiters(&state, &consequences)
            if state.balancer.state != before {
                consequences.watchers = state.watchers
                state.watchers = []
            }
            setTimer(&state)
            return consequences
        }
        perform(consequences)
    }

    /// Takes those that need wait no longer.
    private func settleWaiters(_ state: inout State, _ consequences: inout Consequences) {
        if case .wait = state.balancer.picker.choice { return }
        for (id, waiting) in state.waiting where waiting.pause == nil {
            switch state.balancer.pick(avoiding: waiting.avoided) {
            case .use(let connection): consequences.starts.append((waiting.waiter, connection))
            case .fail(let status) where !waiting.waiter.waitsForReady:
                consequences.failures.append((waiting.waiter, status))
            case .fail, .wait: continue
            }
            state.waiting[id] = nil
        }
    }

    private func setTimer(_ state: inout State) {
        let moment = state.balancer.nextTick
        guard moment != state.timer?.moment ?? .distantFuture else { return }
        state.timer?.task.cancel()
        state.timer = nil
        guard moment != .distantFuture else { return }
        let task = eventLoop.scheduleTask(deadline: moment) { [weak self] () -> Void in self?.tick() }
        state.timer = (moment, task)
    }

    private func tick() {
        state.withLock { $0.timer = nil }
        step { $0.tick(at: $1) }
    }

    private func perform(_ consequences: Consequences) {
        for action in consequences.actions {
            switch action {
            case .connect(let id, let address): connect(id, address)
            case .cancel(let id): state.withLock { $0.attempts.removeValue(forKey: id) }?.cancel()
            case .retire(let connection): connection.execute { $0.retire() }
            case .resolve: resolve()
            }
        }
        for watcher in consequences.watchers { watcher.resume() }
        for (waiter, connection) in consequences.starts { waiter.start(on: connection) }
        for (waiter, status) in consequences.failures { waiter.fail(status) }
    }

    // MARK: Actions

    private func resolve() {
        Task(executorPreference: executor) { [weak self, resolver] in
            let resolution = await resolver.resolve()
            self?.found(resolution)
        }
    }

    private func found(_ resolution: Resolution) {
        let addresses = resolution.addresses.interleaved.map(\.description)
        let isNew = state.withLock { state in
            if state.resolvedAt == nil, !addresses.isEmpty { state.resolvedAt = .now() }
            guard !addresses.isEmpty, addresses != state.notedAddresses else { return false }
            state.notedAddresses = addresses
            return true
        }
        telling { observer in
            if isNew { observer.targetResolved(to: addresses) }
            if let failure = resolution.failure { observer.targetNotResolved(failure.description) }
        } then: {
            $0.step { $0.resolved(resolution, at: $1) }
        }
    }

    /// Tells the observers something, and then does what follows from it: what they know is never behind what calls see.
    private func telling(
        on loop: (any EventLoop)? = nil, _ tell: @escaping @Sendable (any ClientObserver) -> Void,
        then act: @escaping @Sendable (ClientConnections) -> Void
    ) {
        let observers = configuration.observers
        guard !observers.isEmpty else { return act(self) }
        (loop ?? eventLoop).execute {
            for observer in observers { tell(observer) }
            act(self)
        }
    }

    private func connect(_ id: Int, _ address: ServerAddress) {
        let connector = Connector(
            address: address, limit: configuration.connectTimeout, keepalive: keepalive,
            tls: configuration.tls, eventLoop: loopForConnection
        ) { [observers = configuration.observers] result in
            for observer in observers {
                observer.handshakeEnded(result, Peer(address: address.description))
            }
        } report: { [weak self] stage in
            self?.state.withLock { $0.balancer.stage(id, stage) }
        }
        // Under the lock, so that the attempt cannot end before it is noted.
        state.withLock { state in
            state.attempts[id] = Task(executorPreference: executor) { [weak self, inProcess] in
                do throws(ConnectFailure) {
                    let connection =
                        if let inProcess {
                            try await inProcess(connector.keepalive, connector.eventLoop)
                        } else {
                            try await connector.connect()
                        }
                    guard let self else { return connection.channel.close(promise: nil) }
                    adopt(connection, as: id)
                } catch {
                    self?.attemptFailed(id, address, error)
                }
            }
        }
    }

    private var loopForConnection: any EventLoop {
        switch configuration.eventLoops {
        case .shared: eventLoop
        case .perConnection: MultiThreadedEventLoopGroup.singleton.next()
        }
    }

    private func attemptFailed(_ id: Int, _ address: ServerAddress, _ failure: ConnectFailure) {
        state.withLock { $0.attempts[id] = nil }
        telling { observer in
            observer.connectionFailed(Peer(address: address.description), failure.description)
        } then: {
            $0.step { $0.failed(id, failure, at: $1) }
        }
    }

    private func adopt(_ connection: ReadyConnection, as id: Int) {
        let isWanted = state.withLock { state in
            state.attempts[id] = nil
            guard !state.isClosed else { return false }
            state.open[ObjectIdentifier(connection)] = connection
            return true
        }
        guard isWanted else { return connection.channel.close(promise: nil) }
        telling(on: connection.eventLoop) {
            $0.connectionOpened(connection.peer)
        } then: {
            $0.use(connection, as: id)
        }
    }

    private func use(_ connection: ReadyConnection, as id: Int) {
        let observers = configuration.observers
        step { $0.connected(id, connection, at: $1) }
        connection.goingAway.whenComplete { [weak self] _ in self?.discard(connection) }
        connection.channel.closeFuture.whenComplete { [weak self] _ in
            let ended = connection.handler.value.connection
            for observer in observers { observer.connectionClosed(connection.peer, ended.lossReason) }
            self?.forget(connection, hasPingedTooOften: ended.hasPingedTooOften)
        }
    }

    private func forget(_ connection: ReadyConnection, hasPingedTooOften: Bool) {
        state.withLock { state in
            state.open[ObjectIdentifier(connection)] = nil
            if hasPingedTooOften { state.keepaliveTime = state.keepaliveTime.map { $0 * 2 } }
        }
    }

    var keepalive: Keepalive? {
        state.withLock { $0.keepaliveTime }.map { time in
            Keepalive(
                time: .nanoseconds(time.wholeNanoseconds),
                timeout: .nanoseconds(configuration.keepaliveTimeout.wholeNanoseconds),
                withoutCalls: configuration.keepaliveWithoutCalls, now: .now())
        }
    }

    deinit {
        for connection in state.withLock({ $0.open.values }) { connection.channel.close(promise: nil) }
    }

    /// Closes all connections. Calls that are still open end with CANCELLED.
    func close() async {
        let (open, waiting, attempts, watchers) = state.withLock { state in
            state.isClosed = true
            state.timer?.task.cancel()
            state.timer = nil
            defer { (state.waiting, state.attempts, state.watchers) = ([:], [:], []) }
            return (
                Array(state.open.values), Array(state.waiting.values), Array(state.attempts.values),
                state.watchers
            )
        }
        for attempt in attempts { attempt.cancel() }
        for watcher in watchers { watcher.resume() }
        for waiting in waiting {
            waiting.pause?.cancel()
            waiting.waiter.fail(.clientClosed)
        }
        for connection in open {
            connection.execute { $0.shutDown(within: ClientConnection.closeLimit) }
        }
        for connection in open { try? await connection.channel.closeFuture.get() }
    }
}
