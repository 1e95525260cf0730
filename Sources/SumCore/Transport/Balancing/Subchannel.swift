internal import NIOCore

/// A connection to one address, as a load-balancing policy sees it (grpc/doc/connectivity-semantics-and-api.md).
///
///             connect            connected
///     idle ───────────▶ connecting ─────▶ ready
///      ▲                 ▲     │            │
///      │         connect │     │ failed     │ lost
///      │                 │     ▼            │
///      ├────────── transientFailure ◀───────┤ soon after it was connected
///      └────────────────────────────────────┘
///
/// A pause follows each failure, and each is longer than the one before. The first is much shorter than gRPC's second,
/// since a server on the same host starts within milliseconds; after ten failures in a row it is as long. After a failure that
/// another attempt is unlikely to change, such as a certificate that is refused, it is a second at least.
struct Subchannel: Identifiable {
    enum State: Equatable {
        case idle
        case connecting
        case ready(since: NIODeadline)
        /// The next attempt may begin at this time.
        case transientFailure(until: NIODeadline)
    }

    let id: Int
    let address: ServerAddress
    private(set) var state = State.idle
    /// Why it could not connect when it last tried; nil once it has connected.
    private(set) var failure: ConnectFailure?
    /// When the last attempt began.
    private(set) var lastAttempt = NIODeadline.uptimeNanoseconds(0)
    private var backoff = Self.firstBackoff

    /// A connection that is lost sooner than this counts as a failed attempt, so that a server that ends its
    /// connections at once is not dialled in a loop.
    static let shortLife = TimeAmount.seconds(1)
    /// The shortest pause after a failure that is not temporary.
    private static let patience = Duration.seconds(1)
    private static let firstBackoff = Backoff(first: .milliseconds(20), longest: .seconds(120))

    init(id: Int, address: ServerAddress) {
        (self.id, self.address) = (id, address)
    }

    var isReady: Bool { if case .ready = state { true } else { false } }
    var isConnecting: Bool { state == .connecting }
    var hasFailed: Bool { if case .transientFailure = state { true } else { false } }

    /// When a failed subchannel may try again.
    var retryTime: NIODeadline? { if case .transientFailure(let until) = state { until } else { nil } }

    /// Begins an attempt, unless there is one, there is a connection, or the pause after a failure has not passed.
    ///
    /// - Returns: whether an attempt must be made.
    mutating func connect(at now: NIODeadline) -> Bool {
        switch state {
        case .idle: break
        case .transientFailure(let until) where until <= now: break
        case .connecting, .ready, .transientFailure: return false
        }
        state = .connecting
        lastAttempt = now
        return true
    }

    /// Ends the pause after a failure early, if the last attempt began at least `interval` ago.
    mutating func cutPause(after interval: TimeAmount, at now: NIODeadline) {
        guard case .transientFailure(let until) = state else { return }
        state = .transientFailure(until: min(until, max(lastAttempt + interval, now)))
    }

    mutating func connected(at now: NIODeadline) {
        guard state == .connecting else { return }
        state = .ready(since: now)
        failure = nil
    }

    mutating func failed(_ failure: ConnectFailure, at now: NIODeadline) {
        guard state == .connecting else { return }
        self.failure = failure
        pause(at: now)
    }

    /// The connection is closed, or takes no more calls.
    mutating func lost(_ failure: ConnectFailure, at now: NIODeadline) {
        guard case .ready(let since) = state else { return }
        if now - since < Self.shortLife {
            self.failure = failure
            return pause(at: now)
        }
        backoff = Self.firstBackoff
        state = .idle
    }

    /// Gives up the attempt or the connection: the subchannel is not needed at present.
    mutating func release() {
        state = .idle
        failure = nil
    }

    private mutating func pause(at now: NIODeadline) {
        let least = failure?.isTemporary == false ? Self.patience : .zero
        state = .transientFailure(until: now + .nanoseconds(max(backoff.next(), least).wholeNanoseconds))
    }
}
