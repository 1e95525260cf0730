internal import NIOCore

/// Limits the time for a client to send its preface, which ends with SETTINGS, and then to acknowledge ours (RFC 9113
/// sections 3.4 and 6.5.3). The limit applies to each.
struct PrefaceTimeout {
    private enum State {
        case preface(end: NIODeadline)
        case acknowledgement(end: NIODeadline)
        case done
    }

    private let limit: TimeAmount
    private var state: State

    init(limit: TimeAmount, now: NIODeadline) {
        self.limit = limit
        state = .preface(end: now + limit)
    }

    enum Verdict: Equatable {
        case wait(until: NIODeadline)
        /// The client has not sent its preface in time.
        case isSilent
        /// The client has not acknowledged our SETTINGS in time.
        case ignoresSettings
        case isDone
    }

    mutating func receivedSettings(at now: NIODeadline) {
        if case .preface = state { state = .acknowledgement(end: now + limit) }
    }

    mutating func receivedAcknowledgement() {
        state = .done
    }

    func verdict(at now: NIODeadline) -> Verdict {
        switch state {
        case .preface(let end): now < end ? .wait(until: end) : .isSilent
        case .acknowledgement(let end): now < end ? .wait(until: end) : .ignoresSettings
        case .done: .isDone
        }
    }
}
