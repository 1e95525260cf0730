internal import NIOCore
internal import Synchronization

/// One call of a client, through as many attempts, on as many connections, as it takes.
final class ClientCallAttempts: ClientCallHandler, ClientCallControl {
    private let client: GRPCClient
    private let request: GRPCRequest
    private let waitsForReady: Bool
    private let handler: any ClientCallHandler
    private let expiry: NIODeadline

    private struct State {
        var replay = ReplayBuffer()
        var policy: RetryPolicy
        /// The attempt that runs; nil while the call waits for the next.
        var attempt: Attempt?
        /// Ends the call at its deadline while no attempt does.
        var deadline: Scheduled<Void>?
        /// Whether the handler has been told the end.
        var isOver = false
    }

    private let state: Mutex<State>

    /// A stream on a connection, or on its way to it.
    private struct Attempt: Sendable {
        let connected: Connector.Connected
        private let stream: NIOLoopBoundBox<ClientStream?>

        init(on connected: Connector.Connected) {
            self.connected = connected
            stream = .makeBoxSendingValue(nil, eventLoop: connected.channel.eventLoop)
        }

        func start(_ request: GRPCRequest, handler: any ClientCallHandler) {
            let loop = connected.channel.eventLoop
            guard !loop.inEventLoop else { return startNow(request, handler) }
            loop.execute { startNow(request, handler) }
        }

        private func startNow(_ request: GRPCRequest, _ handler: any ClientCallHandler) {
            stream.value = connected.connection.value.start(request, handler: handler)
        }

        func perform(_ action: @escaping @Sendable (ClientConnection, ClientStream) -> Void) {
            let loop = connected.channel.eventLoop
            // Without a stream, the start of it is still to come.
            if loop.inEventLoop, let stream = stream.value {
                return action(connected.connection.value, stream)
            }
            loop.execute {
                if let stream = stream.value { action(connected.connection.value, stream) }
            }
        }
    }

    init(
        _ client: GRPCClient, _ request: GRPCRequest, _ options: GRPCCallOptions,
        handler: any ClientCallHandler
    ) {
        self.client = client
        self.request = request
        self.handler = handler
        waitsForReady = options.waitsForReady
        expiry =
            options.timeout.map { .now() + .nanoseconds($0.wholeNanoseconds) } ?? .distantFuture
        state = Mutex(State(policy: RetryPolicy(maximumRetries: options.maximumRetries)))
    }

    private var timeLeft: Duration? {
        expiry == .distantFuture ? nil : .nanoseconds((expiry - .now()).nanoseconds)
    }

    // MARK: Attempts

    func begin() {
        if let connected = client.current {
            attempt(on: connected)
        } else {
            prepare(after: .zero)
        }
    }

    private func attempt(on connected: Connector.Connected) {
        let attempt = Attempt(on: connected)
        let previous = state.withLock { state -> Int? in
            guard !state.isOver else { return nil }
            state.attempt = attempt
            state.replay.rewind()
            return state.policy.retries
        }
        guard let previous else { return }
        var request = request
        request.timeout = timeLeft
        request.previousAttempts = previous
        attempt.start(request, handler: self)
    }

    /// Waits, connects if there is no connection, and makes the next attempt.
    private func prepare(after pause: Duration) {
        keepDeadline()
        Task {
            do throws(GRPCStatus) {
                if pause > .zero { try? await Task.sleep(for: pause) }
                attempt(on: try await connected())
            } catch {
                finish(ClientCallEnd(status: error))
            }
        }
    }

    private func connected() async throws(GRPCStatus) -> Connector.Connected {
        var backoff = Backoff(first: .milliseconds(100), longest: .seconds(120))
        while true {
            do throws(GRPCStatus) {
                return try await client.connected()
            } catch {
                guard waitsForReady, !state.withLock({ $0.isOver }), !client.isClosed else { throw error }
                try? await Task.sleep(for: backoff.next())
            }
        }
    }

    private func keepDeadline() {
        guard expiry != .distantFuture else { return }
        let deadline = client.eventLoop.scheduleTask(deadline: expiry) {
            if self.state.withLock({ $0.attempt == nil }) {
                self.finish(ClientCallEnd(status: .deadlineExceeded))
            }
        }
        state.withLock { state in
            state.deadline?.cancel()
            state.deadline = deadline
        }
    }

    private func finish(_ end: ClientCallEnd) {
        let isFirst = state.withLock { state in
            defer { state.isOver = true }
            state.replay.drop()
            state.deadline?.cancel()
            return !state.isOver
        }
        if isFirst { handler.end(end) }
    }

    // MARK: For the call's tasks

    func wake() {
        state.withLock { $0.attempt }?.perform { connection, stream in connection.resume(stream) }
    }

    func credit(_ count: Int) {
        state.withLock { $0.attempt }?.perform { connection, stream in connection.credit(stream, count) }
    }

    func cancel() {
        let cancelled = GRPCStatus(code: .cancelled, message: "the call was cancelled")
        if let attempt = state.withLock({ $0.attempt }) {
            attempt.perform { connection, stream in connection.cancel(stream, cancelled) }
        } else {
            finish(ClientCallEnd(status: cancelled))
        }
    }

    // MARK: For the connection

    func fill(_ frame: inout OutputRawSpan) -> ClientCallProgress {
        state.withLock { state in state.replay.fill(&frame) { handler.fill(&$0) } }
    }

    func takeLongPiece(maximum: Int) -> (bytes: ByteBuffer, progress: ClientCallProgress)? {
        guard state.withLock({ $0.replay.isOver }) else { return nil }
        return handler.takeLongPiece(maximum: maximum)
    }

    func receiveHeaders(_ metadata: GRPCMetadata, compression: GRPCCompression) {
        state.withLock { $0.replay.drop() }
        handler.receiveHeaders(metadata, compression: compression)
    }

    func receive(_ bytes: ByteBuffer) throws(GRPCStatus) -> Int {
        try handler.receive(bytes)
    }

    func end(_ end: ClientCallEnd) {
        let (decision, attempt) = state.withLock { state in
            defer { state.attempt = nil }
            let decision = state.policy.decide(end, state.replay, timeLeft: timeLeft)
            return (decision, state.attempt)
        }
        // A connection that does not take a call takes no other either.
        if end.reach == .client, let attempt { client.discard(attempt.connected) }
        switch decision {
        case .end(let end): finish(end)
        case .retry where client.isClosed: finish(end)
        case .retry(let pause): prepare(after: pause)
        }
    }
}
