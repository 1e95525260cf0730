/// What an exporter does next.
enum ExportStep<Payload: Sendable>: Sendable {
    /// Ask again at this time, or when it is known that something has happened.
    case wait(until: ContinuousClock.Instant?)
    /// Export this, and then say how it has ended.
    case send(Payload)
    case end
}

extension ExportStep: Equatable where Payload: Equatable {}

/// When and what is exported. It does no I/O: it is told what happens, and what time it is.
protocol ExportSchedule: Sendable {
    associatedtype Payload: Sendable

    mutating func next(at now: ContinuousClock.Instant) -> ExportStep<Payload>
    /// What `next` gave has been exported, or not.
    mutating func ended(_ outcome: ExportOutcome, at now: ContinuousClock.Instant)
    /// The process ends: what is left is exported at once, without waiting for the end of a pause.
    ///
    /// - Parameter deadline: when it is given up.
    mutating func close(at now: ContinuousClock.Instant, by deadline: ContinuousClock.Instant)
}
