internal import NIOCore

/// How a client's connection begins: it says hello with its SETTINGS, and acknowledges ours (RFC 9113 sections 3.4
/// and 6.5.3). For each it has as long.
struct PrefaceTimeout {
    private enum State {
        case hello(end: NIODeadline)
        case acknowledgement(end: NIODeadline)
        case done
    }

    private let limit: TimeAmount
    private var state: State

    init(limit: TimeAmount, now: NIODeadline) {
        self.limit = limit
        state = .hello(end: now + limit)
    }

    enum Verdict: Equatable {
        case wait(until: NIODeadline)
        /// The client has not said anything of HTTP/2.
        case isSilent
        /// It has, but does not acknowledge our SETTINGS.
        case ignoresSettings
        case isDone
    }

    mutating func receivedSettings(at now: NIODeadline) {
        if case .hello = state { state = .acknowledgement(end: now + limit) }
    }

    mutating func receivedAcknowledgement() {
        state = .done
    }

    func verdict(at now: NIODeadline) -> Verdict {
        switch state {
        case .hello(let end): now < end ? .wait(until: end) : .isSilent
        case .acknowledgement(let end): now < end ? .wait(until: end) : .ignoresSettings
        case .done: .isDone
        }
    }
}
