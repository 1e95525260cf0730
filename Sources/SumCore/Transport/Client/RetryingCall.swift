internal import NIOCore
internal import Synchronization

/// One client call, with as many attempts on as many connections as it takes. `CallAttempts` decides; this class acts.
///
/// An attempt runs on the event loop of its connection, and each attempt may run on another loop.
final class RetryingCall: ClientCallHandler, ClientCallControl, ConnectionWaiter, HTTP2Body {
    let waitsForReady: Bool
    private let source: any ConnectionSource
    private let request: GRPCRequestHead
    private let handler: any ClientCallHandler
    private let expiry: NIODeadline
    /// Why the call must not be made.
    private let refusal: GRPCStatus?

    private typealias PeerWaiters = [CheckedContinuation<Peer?, Never>]

    private struct State {
        var attempts: CallAttempts
        /// The connection of the running attempt, or else of the last.
        var connection: ReadyConnection?
        /// Whether the call has ever waited for a connection.
        var hasWaited = false
        /// Ends the call at its deadline while it has no stream.
        var deadline: Scheduled<Void>?
        var peerWaiters: PeerWaiters = []

        mutating func takePeerWaiters() -> PeerWaiters {
            guard !peerWaiters.isEmpty else { return [] }
            defer { peerWaiters = [] }
            return peerWaiters
        }
    }

    private let state: Mutex<State>

    /// What an attempt uses, and hands on to the next.
    private struct Progress {
        /// The stream of the running attempt; nil while it is being opened.
        var stream: ClientStream?
        /// The request, shared by all attempts.
        var body: ReplayedBody
        /// Collects what observers want to know; nil if nobody observes the client.
        let observation: ClientCallObservation?
    }

    /// Belongs to the event loop of the running attempt, or, while none runs, to whoever makes the next step.
    ///
    /// No two threads use it at once, although the compiler cannot check it and it has no lock of its own: `state` says,
    /// under its lock, whether an attempt runs and on which connection. An attempt begins and ends on its own loop, and
    /// only a step taken under the lock leads from one to the next. Nor do two accesses overlap, so that check is left
    /// out: the handler's body, which is called during an access, hands out bytes, begins again, and may schedule tasks,
    /// but never calls back; observers, which may, are called between accesses.
    @safe @exclusivity(unchecked) nonisolated(unsafe) private var progress: Progress

    init(
        _ source: any ConnectionSource, _ request: GRPCRequestHead, _ options: GRPCCallOptions,
        refusal: GRPCStatus? = nil, observers: [any ClientObserver] = [], target: String = "",
        handler: any ClientCallHandler
    ) {
        self.refusal = refusal
        self.source = source
        self.request = request
        self.handler = handler
        waitsForReady = options.waitsForReady
        expiry =
            options.timeout.map { .now() + .nanoseconds($0.wholeNanoseconds) } ?? .distantFuture
        state = Mutex(State(attempts: CallAttempts(maxRetries: options.maxRetries)))
        let observation =
            observers.isEmpty
            ? nil
            : ClientCallObservation(
                ClientCallStart(
                    path: request.path, target: target, timeout: options.timeout, metadata: request.metadata),
                began: .now(), observers: observers)
        progress = Progress(body: ReplayedBody(handler.requestBody), observation: observation)
    }

    private var timeLeft: Duration? {
        expiry == .distantFuture ? nil : .nanoseconds((expiry - .now()).nanoseconds)
    }

    private func step(_ body: (inout CallAttempts) -> CallAttempts.Action) {
        perform(state.withLock { body(&$0.attempts) })
    }

    private func perform(_ action: CallAttempts.Action) {
        switch action {
        case .nothing, .start: break
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
        } else if let connection = source.pick() {
            start(on: connection)
        } else {
            progress.observation?.wait(forAddresses: source.resolvedAt == nil)
            connect(after: .zero)
        }
    }

    private func connect(after pause: Duration) {
        keepDeadline()
        let last = state.withLock { state in
            state.hasWaited = true
            return state.connection
        }
        source.connect(self, after: pause, avoiding: last)
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
    func start(on connection: ReadyConnection) {
        if connection.eventLoop.inEventLoop { return startNow(on: connection) }
        connection.eventLoop.execute { [self] in startNow(on: connection) }
    }

    private func startNow(on connection: ReadyConnection) {
        let (action, waiters) = state.withLock { state -> (CallAttempts.Action, PeerWaiters) in
            let action = state.attempts.start(isReplayable: progress.body.rewind())
            guard case .start = action else { return (action, []) }
            state.connection = connection
            return (action, state.takePeerWaiters())
        }
        for waiter in waiters { waiter.resume(returning: connection.peer) }
        if case .start(let previousAttempts) = action {
            open(previousAttempts, on: connection)
        } else {
            perform(action)
        }
    }

    /// Fails the call: there is no connection, nor will there be one.
    func fail(_ status: GRPCStatus) {
        step { $0.giveUpWaiting(status) }
    }

    // MARK: Attempts

    private func open(_ previousAttempts: Int, on connection: ReadyConnection) {
        var request = request
        request.timeout = timeLeft
        request.previousAttempts = previousAttempts
        if let observation = progress.observation {
            request.metadata = observation.beginAttempt(
                request.metadata, previousAttempts: previousAttempts, on: connection.peer,
                bytesSent: progress.body.byteCount, resolvedAt: source.resolvedAt, at: .now())
        }
        let stream = connection.handler.value.run { $0.start(request, handler: self) }
        // An attempt that failed at once may already have been followed by the next, perhaps on another loop.
        if let stream, !stream.call.hasEnded { progress.stream = stream }
    }

    /// Does something with the running attempt; nothing if there is none.
    private func onStream(_ action: @escaping @Sendable (ClientConnection, ClientStream) -> Void) {
        guard let connection = runningConnection else { return }
        if connection.eventLoop.inEventLoop, let stream = progress.stream {
            return connection.handler.value.run { action($0, stream) }
        }
        // If there is no stream although we are on the loop, one is being opened.
        connection.eventLoop.execute { [self] in
            guard runningConnection === connection, let stream = progress.stream else { return }
            connection.handler.value.run { action($0, stream) }
        }
    }

    private var runningConnection: ReadyConnection? {
        state.withLock { $0.attempts.isRunning ? $0.connection : nil }
    }

    private func finish(_ end: ClientCallEnd) {
        let (waiters, connection, hasWaited) = state.withLock { state in
            state.deadline?.cancel()
            return (state.takePeerWaiters(), state.connection, state.hasWaited)
        }
        for waiter in waiters { waiter.resume(returning: nil) }
        if hasWaited { source.stopConnecting(self) }
        progress.body.drop()
        if let observation = progress.observation { report(end, connection, observation) }
        handler.end(end)
    }

    private func report(
        _ end: ClientCallEnd, _ connection: ReadyConnection?, _ observation: ClientCallObservation
    ) {
        let tell = observation.end(
            end.status, peer: connection?.peer, bytesSent: progress.body.byteCount, at: .now())
        let loop = connection?.eventLoop ?? source.eventLoop
        if loop.inEventLoop { tell() } else { loop.execute(tell) }
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
                if let connection = state.connection { return connection.peer }
                if state.attempts.isOver { return .some(nil) }
                state.peerWaiters.append(continuation)
                return nil
            }
            if let known { continuation.resume(returning: known) }
        }
    }

    // MARK: For the connection

    var requestBody: any HTTP2Body { self }

    func fill(_ frame: inout OutputRawSpan) -> HTTP2BodyState {
        let start = frame.byteCount
        let state = progress.body.fill(&frame)
        progress.observation?.send(frame.bytes.extracting(droppingFirst: start))
        return state
    }

    func takeLongPiece(maximum: Int) -> (bytes: ByteBuffer, state: HTTP2BodyState)? {
        let piece = progress.body.takeLongPiece(maximum: maximum)
        if let piece { progress.observation?.send(piece.bytes.readableBytesSpan) }
        return piece
    }

    func receiveHeaders(_ metadata: GRPCMetadata, compression: GRPCCompression) {
        progress.body.drop()
        handler.receiveHeaders(metadata, compression: compression)
    }

    func receive(_ bytes: ByteBuffer) throws(GRPCStatus) -> Int {
        progress.observation?.receive(bytes)
        return try handler.receive(bytes)
    }

    func end(_ end: ClientCallEnd) {
        if let observation = progress.observation {
            observation.endAttempt(
                end.status, bytesSent: progress.body.byteCount,
                bytesReceived: progress.stream?.bytesReceived ?? 0, handler.tally, at: .now())
        }
        progress.stream = nil
        // A connection that does not accept this call will accept no other.
        if end.reach == .notSentOnWire, let connection = state.withLock({ $0.connection }) {
            source.discard(connection)
        }
        step {
            $0.end(end, progress.body.replay, timeLeft: timeLeft, mayRetry: !source.isClosed)
        }
    }
}
