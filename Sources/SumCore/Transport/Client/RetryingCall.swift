internal import NIOCore
internal import Synchronization

/// Provides the connections for a client's calls, all on one event loop.
protocol ConnectionSource: AnyObject, Sendable {
    var eventLoop: any EventLoop { get }
    /// The connection for a new call, if there is one.
    var current: ReadyConnection? { get }
    /// Whether there will be no more connections.
    var isClosed: Bool { get }
    /// What a waiting call is waiting for, such as "connecting to localhost:50051: Connection refused".
    var activity: String { get }
    /// Waits for `pause`, connects if there is no connection, and starts the call on the connection, or fails it.
    func connect(_ call: RetryingCall, after pause: Duration)
    /// The call no longer waits.
    func stopConnecting(_ call: RetryingCall)
    /// The connection takes no more calls; the next call needs another.
    func discard(_ connected: ReadyConnection)
}

/// One client call, with as many attempts on as many connections as it takes. `CallAttempts` decides; this class acts.
final class RetryingCall: ClientCallHandler, ClientCallControl {
    let waitsForReady: Bool
    private let source: any ConnectionSource
    private let request: GRPCRequestHead
    private let handler: any ClientCallHandler
    private let expiry: NIODeadline
    private let began: NIODeadline
    /// Why the call must not be made.
    private let refusal: GRPCStatus?
    private let observers: [any ClientObserver]

    private struct State {
        var attempts: CallAttempts
        /// Ends the call at its deadline while it has no stream.
        var deadline: Scheduled<Void>?
        var peer: Peer?
        var peerWaiters: [CheckedContinuation<Peer?, Never>] = []

        mutating func takePeerWaiters() -> [CheckedContinuation<Peer?, Never>] {
            defer { peerWaiters = [] }
            return peerWaiters
        }
    }

    private let state: Mutex<State>

    /// The running attempt. It has no stream while the stream is being opened.
    private struct Attempt {
        let connected: ReadyConnection
        var stream: ClientStream?
    }

    /// State that only the event loop uses.
    private final class LoopState {
        var attempt: Attempt?
        /// The request, shared by all attempts.
        let body: ReplayedBody
        var attempts = 0
        /// Bytes received by the attempts that have ended.
        var bytesReceived = 0

        init(body: ReplayedBody) {
            self.body = body
        }
    }

    private let loopState: NIOLoopBoundBox<LoopState>

    init(
        _ source: any ConnectionSource, _ request: GRPCRequestHead, _ options: GRPCCallOptions,
        refusal: GRPCStatus? = nil, observers: [any ClientObserver] = [], handler: any ClientCallHandler
    ) {
        let now = NIODeadline.now()
        began = now
        self.observers = observers
        self.refusal = refusal
        self.source = source
        self.request = request
        self.handler = handler
        waitsForReady = options.waitsForReady
        expiry =
            options.timeout.map { now + .nanoseconds($0.wholeNanoseconds) } ?? .distantFuture
        state = Mutex(State(attempts: CallAttempts(maxRetries: options.maxRetries)))
        loopState = .makeBoxSendingValue(
            LoopState(body: ReplayedBody(handler.requestBody)), eventLoop: source.eventLoop)
    }

    private var timeLeft: Duration? {
        expiry == .distantFuture ? nil : .nanoseconds((expiry - .now()).nanoseconds)
    }

    private func step(_ body: (inout CallAttempts) -> CallAttempts.Action) {
        perform(state.withLock { body(&$0.attempts) })
    }

    private func perform(_ action: CallAttempts.Action) {
        switch action {
        case .nothing: break
        case .start(let previousAttempts): open(previousAttempts)
        case .endStream(let status): onStream { connection, stream in connection.cancel(stream, status) }
        case .retry(let pause): connect(after: pause)
        case .finish(let end): finish(end)
        }
    }

    // MARK: Connections

    func begin() {
        if let refusal {
            step { $0.giveUpWaiting(refusal) }
        } else if let timeLeft, timeLeft <= .zero {
            step { $0.giveUpWaiting(.deadlineExceeded) }
        } else if let connected = source.current {
            start(on: connected)
        } else {
            connect(after: .zero)
        }
    }

    private func connect(after pause: Duration) {
        keepDeadline()
        source.connect(self, after: pause)
    }

    private func keepDeadline() {
        guard expiry != .distantFuture else { return }
        let deadline = source.eventLoop.scheduleTask(deadline: expiry) { [self] in
            step { $0.giveUpWaiting(.deadlineExceeded(while: source.activity)) }
        }
        state.withLock { state in
            state.deadline?.cancel()
            state.deadline = deadline
        }
    }

    /// Starts the next attempt on a connection.
    func start(on connected: ReadyConnection) {
        if source.eventLoop.inEventLoop { return startNow(on: connected) }
        source.eventLoop.execute { [self] in startNow(on: connected) }
    }

    private func startNow(on connected: ReadyConnection) {
        let loopState = loopState.value
        loopState.attempt = Attempt(connected: connected)
        let isReplayable = loopState.body.rewind()
        step { $0.start(isReplayable: isReplayable) }
    }

    /// Fails the call: there is no connection, nor will there be one.
    func fail(_ status: GRPCStatus) {
        step { $0.giveUpWaiting(status) }
    }

    var isOver: Bool { state.withLock { $0.attempts.isOver } }

    // MARK: Attempts

    private func open(_ previousAttempts: Int) {
        let loopState = loopState.value
        guard let connected = loopState.attempt?.connected else { return }
        let waiters = state.withLock { state in
            state.peer = connected.peer
            return state.takePeerWaiters()
        }
        for waiter in waiters { waiter.resume(returning: connected.peer) }
        loopState.attempts += 1
        var request = request
        request.timeout = timeLeft
        request.previousAttempts = previousAttempts
        let stream = connected.handler.value.run { $0.start(request, handler: self) }
        // An attempt that failed at once may already have been followed by the next.
        if let stream, !stream.call.hasEnded { loopState.attempt?.stream = stream }
    }

    private func onStream(_ action: @escaping @Sendable (ClientConnection, ClientStream) -> Void) {
        let loop = source.eventLoop
        if loop.inEventLoop, let attempt = loopState.value.attempt, let stream = attempt.stream {
            return attempt.connected.handler.value.run { action($0, stream) }
        }
        // If there is no stream although we are on the loop, one is being opened.
        loop.execute { [loopState] in
            guard let attempt = loopState.value.attempt, let stream = attempt.stream else { return }
            attempt.connected.handler.value.run { action($0, stream) }
        }
    }

    private func finish(_ end: ClientCallEnd) {
        let waiters = state.withLock { state in
            state.deadline?.cancel()
            return state.takePeerWaiters()
        }
        for waiter in waiters { waiter.resume(returning: nil) }
        source.stopConnecting(self)
        if source.eventLoop.inEventLoop {
            settle(end)
        } else {
            source.eventLoop.execute { [self] in settle(end) }
        }
        handler.end(end)
    }

    /// Drops what was sent, and tells the observers.
    private func settle(_ end: ClientCallEnd) {
        let loopState = loopState.value
        loopState.body.drop()
        guard !observers.isEmpty else { return }
        let peer = state.withLock { $0.peer }
        let record = ClientCallRecord(
            path: request.path, peer: peer, status: end.status,
            duration: .nanoseconds((NIODeadline.now() - began).nanoseconds),
            attempts: loopState.attempts,
            bytesSent: loopState.body.byteCount, bytesReceived: loopState.bytesReceived)
        for observer in observers { observer.callEnded(record) }
    }

    // MARK: For the call's tasks

    func wake() {
        onStream { connection, stream in connection.resume(stream) }
    }

    func credit(_ count: Int) {
        onStream { connection, stream in connection.credit(stream, count) }
    }

    func cancel() {
        step { $0.cancel(GRPCStatus(code: .cancelled, message: "the call was cancelled")) }
    }

    func peer() async -> Peer? {
        await withCheckedContinuation { continuation in
            let known = state.withLock { state -> Peer?? in
                if let peer = state.peer { return peer }
                if state.attempts.isOver { return .some(nil) }
                state.peerWaiters.append(continuation)
                return nil
            }
            if let known { continuation.resume(returning: known) }
        }
    }

    // MARK: For the connection

    var requestBody: any HTTP2Body { loopState.value.body }

    func receiveHeaders(_ metadata: GRPCMetadata, compression: GRPCCompression) {
        loopState.value.body.drop()
        handler.receiveHeaders(metadata, compression: compression)
    }

    func receive(_ bytes: ByteBuffer) throws(GRPCStatus) -> Int {
        try handler.receive(bytes)
    }

    func end(_ end: ClientCallEnd) {
        let loopState = loopState.value
        let attempt = loopState.attempt
        let connected = attempt?.connected
        loopState.attempt = nil
        loopState.bytesReceived += attempt?.stream?.bytesReceived ?? 0
        // A connection that does not accept this call will accept no other.
        if end.reach == .notSentOnWire, let connected { source.discard(connected) }
        let replay = loopState.body.replay
        step { $0.end(end, replay, timeLeft: timeLeft, mayRetry: !source.isClosed) }
    }
}
