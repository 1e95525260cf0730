internal import NIOCore
internal import SumCore

/// The spans that wait, and when they are exported. It does no I/O: it is told what happens, and what time it is.
///
/// A batch is tried until the collector has taken or refused it. Meanwhile spans wait, and the oldest are dropped when
/// there are too many. So while a collector restarts, nothing is lost that fits into the queue.
struct SpanExport: ExportSchedule {
    private enum State {
        /// Nothing is exported.
        case collecting
        /// The batch is being exported.
        case sending
        /// The batch is exported again at this time.
        case pausing(until: ContinuousClock.Instant)
        case ended
    }

    private let limits: OTLPSettings.SpanLimits
    private var state = State.collecting
    private var retry = ExportRetry()
    private var queue = CircularBuffer<FinishedSpan>()
    private var batch: [FinishedSpan] = []
    /// When the first span of an incomplete batch must be exported.
    private var due: ContinuousClock.Instant?
    /// Set once the process ends: everything is exported at once, and given up at this time.
    private var deadline: ContinuousClock.Instant?
    private(set) var counts = OTLPExporter.SpanCounts()

    init(_ limits: OTLPSettings.SpanLimits) {
        self.limits = limits
    }

    /// Takes a span.
    ///
    /// - Returns: whether `next` has another answer than before.
    mutating func add(_ span: FinishedSpan, at now: ContinuousClock.Instant) -> Bool {
        if case .ended = state {
            counts.dropped += 1
            return false
        }
        if queue.count == limits.queueSize {
            queue.removeFirst()
            counts.dropped += 1
        }
        queue.append(span)
        if queue.count == 1 { due = now + limits.delay }
        guard case .collecting = state else { return false }
        return queue.count == 1 || queue.count == limits.batchSize
    }

    mutating func next(at now: ContinuousClock.Instant) -> ExportStep<[FinishedSpan]> {
        if case .sending = state { return .wait(until: nil) }
        if let deadline, now >= deadline { giveUp() }
        switch state {
        case .pausing(let end):
            guard now >= end else { return .wait(until: end) }
            state = .sending
            return .send(batch)
        case .collecting:
            return collect(at: now)
        case .sending, .ended:
            return .end
        }
    }

    private mutating func collect(at now: ContinuousClock.Instant) -> ExportStep<[FinishedSpan]> {
        let isDue = deadline != nil || queue.count >= limits.batchSize || due.map { now >= $0 } ?? false
        guard !queue.isEmpty else {
            guard deadline != nil else { return .wait(until: nil) }
            state = .ended
            return .end
        }
        guard isDue else { return .wait(until: due) }
        batch = Array(queue.prefix(limits.batchSize))
        queue.removeFirst(batch.count)
        due = queue.isEmpty ? nil : now + limits.delay
        state = .sending
        return .send(batch)
    }

    mutating func ended(_ outcome: ExportOutcome, at now: ContinuousClock.Instant) {
        guard case .sending = state else { return }
        switch outcome {
        case .answered(let rejected, _):
            let refused = min(max(Int(clamping: rejected), 0), batch.count)
            counts.exported += batch.count - refused
            counts.refused += refused
        case .failed(let status):
            if let pause = retry.pause(after: status) {
                state = .pausing(until: now + pause)
                return
            }
            counts.refused += batch.count
        }
        batch = []
        retry.reset()
        state = .collecting
    }

    mutating func close(at now: ContinuousClock.Instant, by deadline: ContinuousClock.Instant) {
        self.deadline = deadline
        guard case .pausing = state else { return }
        retry.reset()
        state = .pausing(until: now)
    }

    private mutating func giveUp() {
        counts.dropped += batch.count + queue.count
        batch = []
        queue.removeAll()
        state = .ended
    }
}
