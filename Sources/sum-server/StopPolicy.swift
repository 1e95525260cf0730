/// Decides what each signal does, depending on those before it.
struct StopPolicy {
    /// A second signal within this time counts as the same request to stop: GNU timeout and npm send two.
    static let sameWish = Duration.milliseconds(500)

    enum Signal {
        /// SIGTERM, SIGINT or SIGQUIT.
        case stop
        /// SIGHUP.
        case reload
    }

    enum Action: Equatable {
        /// Report NOT_SERVING, go on serving for the drain delay, then drain.
        case announce
        /// Shut down gracefully, without any further delay.
        case drain
        case endAtOnce
        /// Read again what was read from files.
        case reload
        case none
    }

    private enum State {
        case serving
        /// Until the drain delay has passed, after which the server drains by itself.
        case announced(at: ContinuousClock.Instant)
        case draining(since: ContinuousClock.Instant)
    }

    /// How long the server goes on serving after the first signal.
    let drainDelay: Duration
    private var state = State.serving

    init(drainDelay: Duration) {
        self.drainDelay = drainDelay
    }

    mutating func receive(_ signal: Signal, at now: ContinuousClock.Instant) -> Action {
        if case .announced(let start) = state, now - start >= drainDelay {
            state = .draining(since: start + drainDelay)
        }
        switch (signal, state) {
        case (.reload, _):
            return .reload
        case (.stop, .serving) where drainDelay > .zero:
            state = .announced(at: now)
            return .announce
        case (.stop, .serving):
            state = .draining(since: now)
            return .drain
        case (.stop, .announced(let start)):
            guard now - start >= Self.sameWish else { return .none }
            state = .draining(since: now)
            return .drain
        case (.stop, .draining(let since)):
            return now - since < Self.sameWish ? .none : .endAtOnce
        }
    }
}
