internal import NIOCore

/// Finds out whether a peer that says nothing is still there: it is sent a PING, and is given up when nothing
/// comes after that (grpc/doc/keepalive.md). Whatever it sends shows that it is there.
struct Keepalive {
    /// Silence after which the peer is asked.
    var time: TimeAmount
    /// Further silence after which it is given up.
    var timeout: TimeAmount
    /// Whether it is asked while there are no calls too.
    var withoutCalls: Bool

    private var lastRead: NIODeadline
    /// When the PING was sent that nothing has followed.
    private var asked: NIODeadline?

    static let pingPayload: UInt64 = 0x7375_6d20_616c_6976

    init(time: TimeAmount, timeout: TimeAmount, withoutCalls: Bool, now: NIODeadline) {
        self.time = time
        self.timeout = timeout
        self.withoutCalls = withoutCalls
        lastRead = now
    }

    /// What is due, and when to ask again.
    enum Step: Equatable {
        case wait(until: NIODeadline)
        case ping(until: NIODeadline)
        case giveUp
    }

    /// Bytes came.
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
