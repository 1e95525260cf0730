internal import NIOCore

/// When a server asks its client to use another connection: after a time without calls, and at an age
/// (grpc/proposal A9).
struct ConnectionLifetime {
    /// Time without calls.
    private let idleLimit: TimeAmount?
    /// When the connection is old.
    private let ageEnd: NIODeadline?
    /// How long calls may then still take.
    private let grace: TimeAmount?

    /// When the last call ended; nil while there are calls.
    private var idleSince: NIODeadline?
    private var isEnding = false
    private var graceEnd: NIODeadline?

    /// - Parameter ageSpread: between -1 and 1: the age differs by up to a tenth, so that connections made together
    ///   do not end together.
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
        /// `until` is when to ask again; nil: there is nothing more to wait for.
        case wait(until: NIODeadline?)
        /// To be ended gracefully, for a reason that the client is told.
        case drain(reason: String, until: NIODeadline?)
        /// To be closed, whatever is open.
        case close
    }

    /// There is a call.
    mutating func beginCalls() {
        idleSince = nil
    }

    /// The last call has ended.
    mutating func endCalls(at now: NIODeadline) {
        idleSince = now
    }

    mutating func verdict(at now: NIODeadline) -> Verdict {
        if let graceEnd, now >= graceEnd { return .close }
        if isEnding { return .wait(until: graceEnd) }
        if let ageEnd, now >= ageEnd {
            isEnding = true
            graceEnd = grace.map { now + $0 }
            return .drain(reason: "max_age", until: graceEnd)
        }
        // While there are calls, idleness lies at least its whole limit ahead.
        let idleEnd = idleLimit.map { (idleSince ?? now) + $0 }
        if let idleEnd, now >= idleEnd {
            isEnding = true
            return .drain(reason: "max_idle", until: nil)
        }
        return .wait(until: [ageEnd, idleEnd].compactMap { $0 }.min())
    }
}
