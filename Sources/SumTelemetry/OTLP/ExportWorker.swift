internal import Synchronization

/// Does what a schedule says, in one task.
final class ExportWorker<Schedule: ExportSchedule>: Sendable {
    private let schedule: Mutex<Schedule>
    private let export: @Sendable (Schedule.Payload) async -> ExportOutcome
    /// Yields when the schedule may have another answer than before.
    private let changes: AsyncStream<Void>
    private let change: AsyncStream<Void>.Continuation

    /// - Parameter export: makes one attempt.
    init(_ schedule: Schedule, export: @escaping @Sendable (Schedule.Payload) async -> ExportOutcome) {
        self.schedule = Mutex(schedule)
        self.export = export
        (changes, change) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Works until the schedule ends. If the task is cancelled, what is left is given up.
    func run() async {
        var changes = changes.makeAsyncIterator()
        while true {
            switch schedule.withLock({ $0.next(at: .now) }) {
            case .wait(let time):
                let timer = time.map { time in
                    Task { [change] in
                        guard (try? await Task.sleep(until: time)) != nil else { return }
                        change.yield()
                    }
                }
                let hasChanged = await changes.next() != nil
                timer?.cancel()
                if !hasChanged { schedule.withLock { $0.close(at: .now, by: .now) } }
            case .send(let payload):
                let outcome = await export(payload)
                schedule.withLock { $0.ended(outcome, at: .now) }
            case .end:
                return
            }
        }
    }

    /// - Parameter body: returns whether the schedule has another answer than before.
    func update(_ body: (inout Schedule) -> Bool) {
        if schedule.withLock({ body(&$0) }) { change.yield() }
    }

    func read<Value: Sendable>(_ body: (Schedule) -> Value) -> Value {
        schedule.withLock { body($0) }
    }

    func close(by deadline: ContinuousClock.Instant) {
        update {
            $0.close(at: .now, by: deadline)
            return true
        }
    }
}
