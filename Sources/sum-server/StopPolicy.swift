/// What signals mean, one after the other.
struct StopPolicy {
    /// What comes within this time of the first wish to stop is the same wish: GNU timeout and npm send two.
    static let sameWish = Duration.milliseconds(500)

    enum Signal {
        /// SIGTERM, SIGINT or SIGQUIT.
        case stop
        /// SIGHUP.
        case reload
    }

    enum Action: Equatable {
        /// Stop gracefully.
        case drain
        case endAtOnce
        /// Say that there is nothing to reload.
        case refuseReload
        case none
    }

    private enum State {
        case serving
        case draining(since: ContinuousClock.Instant)
    }

    private var state = State.serving

    mutating func receive(_ signal: Signal, at now: ContinuousClock.Instant) -> Action {
        switch (signal, state) {
        case (.reload, _):
            return .refuseReload
        case (.stop, .serving):
            state = .draining(since: now)
            return .drain
        case (.stop, .draining(let since)):
            return now - since < Self.sameWish ? .none : .endAtOnce
        }
    }
}
