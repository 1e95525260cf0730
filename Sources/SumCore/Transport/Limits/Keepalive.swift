internal import NIOCore

/// Sends a PING after a period of silence, and closes the connection if no bytes follow it in time
/// (grpc/doc/keepalive.md). Any bytes from the peer count as a sign of life.
struct Keepalive {
    /// Silence after which a PING is sent.
    var time: TimeAmount
    /// Silence after the PING, after which the peer is considered lost.
    var timeout: TimeAmount
    /// Whether PINGs are sent also while there are no calls.
    var withoutCalls: Bool

    private var lastRead: NIODeadline
    /// When the last PING was sent; nil if bytes have arrived since.
    private var asked: NIODeadline?

    static let pingPayload: UInt64 = 0x7375_6d20_616c_6976

    init(time: TimeAmount, timeout: TimeAmount, withoutCalls: Bool, now: NIODeadline) {
        self.time = time
        self.timeout = timeout
        self.withoutCalls = withoutCalls
        lastRead = now
    }

    /// What to do now, and when to ask again.
    enum Step: Equatable {
        case wait(until: NIODeadline)
        case ping(until: NIODeadline)
        case giveUp
    }

    /// Bytes have arrived.
    mutating func received(at now: NIODeadline) {
        lastRead = now
        asked = nil
    }

    mutating func step(at now: NIODeadline, hasCalls: Bool) -> Step {
        if let asked {
            return now >= asked + timeout ? .giveUp : .wait(until: asked + timeout)
        }
        guard now >= lastRead + time else { return .wait(until: lastRead + time) }
        guard hasCalls || withoutCalls else { return .wait(until: now + time) }
        asked = now
        return .ping(until: now + timeout)
    }
}
