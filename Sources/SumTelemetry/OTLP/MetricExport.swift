/// When metrics are exported: at intervals, once more some time after an attempt that failed, and a last time when the
/// process ends. Each attempt exports the metrics as they are then: as all counts go back to the start of the process,
/// nothing is lost with an attempt.
struct MetricExport: ExportSchedule {
    private enum State {
        case waiting(until: ContinuousClock.Instant)
        /// - Parameter isLast: whether the process was already ending when it began.
        case sending(isLast: Bool)
        case ended
    }

    private let interval: Duration
    private var state: State
    /// When the next interval ends.
    private var regular: ContinuousClock.Instant
    private var retry = ExportRetry()
    private var deadline: ContinuousClock.Instant?

    init(every interval: Duration, from start: ContinuousClock.Instant) {
        self.interval = interval
        regular = start + interval
        state = .waiting(until: regular)
    }

    mutating func next(at now: ContinuousClock.Instant) -> ExportStep<Void> {
        switch state {
        case .waiting(let time):
            if let deadline, now >= deadline {
                state = .ended
                return .end
            }
            guard now >= time else { return .wait(until: time) }
            // Intervals that have been missed are not made up for.
            if now >= regular { regular = max(regular + interval, now) }
            state = .sending(isLast: deadline != nil)
            return .send(())
        case .sending:
            return .wait(until: nil)
        case .ended:
            return .end
        }
    }

    mutating func ended(_ outcome: ExportOutcome, at now: ContinuousClock.Instant) {
        guard case .sending(let isLast) = state else { return }
        if case .failed(let status) = outcome, let pause = retry.pause(after: status) {
            state = .waiting(until: isLast || deadline == nil ? now + pause : now)
            return
        }
        retry.reset()
        if isLast {
            state = .ended
        } else {
            state = .waiting(until: deadline == nil ? regular : now)
        }
    }

    mutating func close(at now: ContinuousClock.Instant, by deadline: ContinuousClock.Instant) {
        self.deadline = deadline
        guard case .waiting = state else { return }
        retry.reset()
        state = .waiting(until: now)
    }
}
