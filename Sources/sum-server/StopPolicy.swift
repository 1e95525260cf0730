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
        /// Shut down gracefully.
        case drain
        case endAtOnce
        /// Log that there is nothing to reload.
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
