/// One call of a client through its attempts: whether another may start, and how the call ends.
///
///               start                  cancel
///     waiting ────────▶ running ──────────────────▶ cancelling
///        ▲                 │                             │
///        └─────────────────┤ end of an attempt           │ end of the attempt
///          to be tried     ▼ that counts                 ▼
///          again         over ◀──────────────────────────┘
///
/// While it waits, for a connection or for a pause to pass, a cancellation or a deadline leads to `over` at once. While
/// a stream runs, the stream is ended first, which ends the attempt.
struct CallAttempts {
    private enum State: Equatable {
        case waiting
        case running
        /// The stream is being ended with this status.
        case cancelling(GRPCStatus)
        case over
    }

    /// What is to be done after a step.
    enum Action: Equatable {
        case nothing
        /// Open a stream and send the request from its beginning; so many attempts were made before that the server is
        /// told of (`grpc-previous-rpc-attempts`).
        case start(previousAttempts: Int)
        /// End the stream that runs, with this status.
        case endStream(GRPCStatus)
        /// Wait, get a connection, and start again.
        case retry(after: Duration)
        /// Tell the handler. Happens once, and nothing but `nothing` follows.
        case finish(ClientCallEnd)
    }

    private var state = State.waiting
    private var policy: RetryPolicy

    init(maxRetries: Int) {
        policy = RetryPolicy(maxRetries: maxRetries)
    }

    var isOver: Bool { state == .over }

    // MARK: Steps

    /// There is a connection for the next attempt. The only way an attempt starts, and only with all that was sent
    /// before at hand.
    ///
    /// - Parameter isReplayable: whether everything that was sent is ready to be sent again.
    mutating func start(isReplayable: Bool) -> Action {
        guard state == .waiting else { return .nothing }
        guard isReplayable else { return finish(ClientCallEnd(status: .notKept)) }
        state = .running
        return .start(previousAttempts: policy.retries)
    }

    /// The attempt that runs has ended.
    ///
    /// - Parameters:
    ///   - replay: what was sent; nothing of it is kept once the answer has begun, so that the call is never made again.
    ///   - timeLeft: until the deadline; nil if there is none.
    ///   - mayRetry: whether there may be another connection.
    mutating func end(
        _ end: ClientCallEnd, _ replay: ReplayBuffer, timeLeft: Duration?, mayRetry: Bool = true
    ) -> Action {
        switch state {
        case .running:
            switch policy.decide(end, replay, timeLeft: timeLeft) {
            case .retry(let pause) where mayRetry:
                state = .waiting
                return .retry(after: pause)
            case .retry: return finish(end)
            case .end(let end): return finish(end)
            }
        case .cancelling(let status):
            // What the server had said before counts; what would be tried again does not.
            return finish(end.status.code == .unavailable ? ClientCallEnd(status: status) : end)
        case .waiting, .over:
            return .nothing
        }
    }

    /// The call is to end, whatever it is doing.
    mutating func cancel(_ status: GRPCStatus) -> Action {
        switch state {
        case .waiting:
            return finish(ClientCallEnd(status: status))
        case .running:
            state = .cancelling(status)
            return .endStream(status)
        case .cancelling, .over:
            return .nothing
        }
    }

    /// There is no connection, or none in time. A stream that runs is left alone: it has its own deadline.
    mutating func giveUpWaiting(_ status: GRPCStatus) -> Action {
        state == .waiting ? finish(ClientCallEnd(status: status)) : .nothing
    }

    private mutating func finish(_ end: ClientCallEnd) -> Action {
        state = .over
        return .finish(end)
    }
}

extension GRPCStatus {
    /// Never seen by anybody unless `RetryPolicy` is wrong.
    fileprivate static let notKept = GRPCStatus(
        code: .internalError, message: "the call cannot be made again: what was sent is not kept any more")
}
