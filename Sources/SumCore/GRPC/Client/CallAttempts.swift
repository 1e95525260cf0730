/// The state of a client call across its attempts: whether another attempt may start, and how the call ends.
///
///               start                  cancel
///     waiting ────────▶ running ──────────────────▶ cancelling
///        ▲                 │                             │
///        └─────────────────┤ attempt ends                │ attempt ends
///          to be           ▼ for good                    ▼
///          retried       over ◀──────────────────────────┘
///
/// While the call waits for a connection or a backoff pause, a cancellation or a deadline leads to `over` at once.
/// While a stream runs, the stream is ended first, and that ends the attempt.
struct CallAttempts {
    private enum State: Equatable {
        case waiting
        case running
        /// The stream is being ended with this status.
        case cancelling(GRPCStatus)
        case over
    }

    /// What the caller must do after a step.
    enum Action: Equatable {
        case nothing
        /// Open a stream and send the request from its beginning. `previousAttempts` is sent to the server as
        /// `grpc-previous-rpc-attempts`.
        case start(previousAttempts: Int)
        /// End the running stream with this status.
        case endStream(GRPCStatus)
        /// Wait, get a connection, and start again.
        case retry(after: Duration)
        /// Report the end to the handler. Happens once; only `nothing` follows.
        case finish(ClientCallEnd)
    }

    private var state = State.waiting
    private var policy: RetryPolicy

    init(maxRetries: Int) {
        policy = RetryPolicy(maxRetries: maxRetries)
    }

    var isOver: Bool { state == .over }

    /// Whether there is a running attempt.
    var isRunning: Bool {
        switch state {
        case .running, .cancelling: true
        case .waiting, .over: false
        }
    }

    // MARK: Steps

    /// Starts an attempt, now that there is a connection. No attempt starts unless everything sent so far can be
    /// replayed.
    ///
    /// - Parameter isReplayable: whether everything sent so far is still kept. Asked only if an attempt may start.
    mutating func start(isReplayable: @autoclosure () -> Bool) -> Action {
        guard state == .waiting else { return .nothing }
        guard isReplayable() else { return finish(ClientCallEnd(status: .notKept)) }
        state = .running
        return .start(previousAttempts: policy.retries)
    }

    /// Handles the end of the running attempt.
    ///
    /// - Parameters:
    ///   - replay: what was sent. It is dropped once the response begins, so that the call is never retried after that.
    ///   - timeLeft: time until the deadline; nil if there is none.
    ///   - mayRetry: whether another connection may be had: the client has not been closed.
    mutating func end(
        _ end: ClientCallEnd, _ replay: @autoclosure () -> ReplayBuffer,
        timeLeft: @autoclosure () -> Duration?,
        mayRetry: @autoclosure () -> Bool = true
    ) -> Action {
        switch state {
        case .running where end.isOK:
            return finish(end)
        case .running:
            switch policy.decide(end, replay(), timeLeft: timeLeft()) {
            case .retry(let pause) where mayRetry():
                state = .waiting
                return .retry(after: pause)
            case .retry: return finish(ClientCallEnd(status: .clientClosed))
            case .end(let end): return finish(end)
            }
        case .cancelling(let status):
            // A status from the server takes precedence over the cancellation, unless it is one to retry.
            return finish(end.status.code == .unavailable ? ClientCallEnd(status: status) : end)
        case .waiting, .over:
            return .nothing
        }
    }

    /// Ends the call, whatever its state.
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

    /// Ends a call that gets no connection, or none in time. A running stream is left alone: it has its own deadline.
    mutating func giveUpWaiting(_ status: GRPCStatus) -> Action {
        state == .waiting ? finish(ClientCallEnd(status: status)) : .nothing
    }

    private mutating func finish(_ end: ClientCallEnd) -> Action {
        state = .over
        return .finish(end)
    }
}

extension GRPCStatus {
    /// How a call of a client ends that has been closed, whether it was open, waited, or came too late.
    static let clientClosed = GRPCStatus(code: .cancelled, message: "the client has been closed")

    /// Appears only if `RetryPolicy` has a bug.
    fileprivate static let notKept = GRPCStatus(
        code: .internalError, message: "the call cannot be made again: what was sent is not kept any more")
}
