internal import NIOCore

/// Decides when a server ends a connection gracefully: after a time without calls, and at a maximum age (grpc/proposal
/// A9).
struct ConnectionLifetime {
    /// The longest time without calls.
    private let idleLimit: TimeAmount?
    /// When the connection reaches its maximum age.
    private let ageEnd: NIODeadline?
    /// How long calls may continue after that; nil: without limit.
    private let grace: TimeAmount?

    /// When the last call ended, or the connection was made; nil while there are calls.
    private var idleSince: NIODeadline?
    private var isEnding = false
    private var graceEnd: NIODeadline?

    /// - Parameters:
    ///   - idle: the longest time without calls; nil: no limit.
    ///   - age: the maximum age; nil: no limit.
    ///   - grace: how long calls may continue after the maximum age; nil: without limit.
    ///   - ageSpread: a factor from -1 to 1 of a tenth of the age, which is added to it, so that connections made
    ///     together do not end together.
    /// - Returns: nil if there is no limit.
    init?(
        idle: TimeAmount?, age: TimeAmount?, grace: TimeAmount?, now: NIODeadline,
        ageSpread: Double = .random(in: -1...1)
    ) {
        guard idle != nil || age != nil else { return nil }
        idleLimit = idle
        self.grace = grace
        ageEnd = age.map { now + $0 + .nanoseconds(Int64(Double($0.nanoseconds / 10) * ageSpread)) }
        idleSince = now
    }

    enum Verdict: Equatable {
        /// `until` is when to ask again; nil: nothing more will be due.
        case wait(until: NIODeadline?)
        /// End the connection gracefully; the GOAWAY gives the reason.
        case drain(reason: String, until: NIODeadline?)
        /// Close the connection, even if calls are open.
        case close
    }

    /// The first call has begun.
    mutating func beginCalls() {
        idleSince = nil
    }

    /// The last call has ended.
    mutating func endCalls(at now: NIODeadline) {
        idleSince = now
    }

    /// Returns what is due now. Each limit is reported once.
    mutating func verdict(at now: NIODeadline) -> Verdict {
        if let graceEnd, now >= graceEnd { return .close }
        if isEnding { return .wait(until: graceEnd) }
        if let ageEnd, now >= ageEnd {
            isEnding = true
            graceEnd = grace.map { now + $0 }
            return .drain(reason: "max_age", until: graceEnd)
        }
        // While there are calls, the idle limit is at least its whole length away.
        let idleEnd = idleLimit.map { (idleSince ?? now) + $0 }
        if let idleEnd, now >= idleEnd {
            isEnding = true
            return .drain(reason: "max_idle", until: nil)
        }
        return .wait(until: [ageEnd, idleEnd].compactMap { $0 }.min())
    }
}
