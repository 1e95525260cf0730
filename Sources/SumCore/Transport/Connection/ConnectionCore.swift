internal import NIOCore

/// What the connections of both roles share: the HTTP/2 session, the limits on what a peer may send, keepalive, the
/// clock, and the end of the connection.
///
///     open ──▶ ending ──▶ closed
///        └───────────────────▲
///
/// Only the first reason to end is kept.
///
/// For the properties without exclusivity checks, see `HTTP2Session`; the same reasons hold here.
final class ConnectionCore {
    private enum State {
        case open
        case ending(Ending)
        case closed
    }

    let session: HTTP2Session
    @safe @exclusivity(unchecked) private var state = State.open
    /// Why the connection ends; nil while it does not, or if both sides were done with it.
    @safe @exclusivity(unchecked) private(set) var closeReason: CloseReason?

    /// The current time: that of the input or the tick being handled.
    @safe @exclusivity(unchecked) var now = NIODeadline.distantPast
    /// When `tick` must be called next, for any of the limits.
    @safe @exclusivity(unchecked) private(set) var nextTick = NIODeadline.distantFuture
    /// When the socket is closed, even if output remains.
    var closeBy = NIODeadline.distantFuture

    /// Checks with PINGs whether a silent peer is still there; nil: it may be silent forever.
    @safe @exclusivity(unchecked) var keepalive: Keepalive?
    /// Limits frames that make no progress on a call. Set when the connection opens.
    @safe @exclusivity(unchecked) var frameBudget: FrameBudget?

    /// The bytes held in the socket's queue because the peer does not read; nil while it reads.
    @safe @exclusivity(unchecked) var blockedBytes: Int?
    /// Whether to write output before parsing more input.
    @safe @exclusivity(unchecked) var wantsFlush = false
    /// Whether only DATA has arrived, and nothing was written, since this was last set.
    var isMereData: Bool {
        get { session.hasOnlyData }
        set { session.hasOnlyData = newValue }
    }
    @safe @exclusivity(unchecked) private(set) var bytesRead = 0
    @safe @exclusivity(unchecked) private(set) var bytesWritten = 0

    init(
        role: HTTP2Session.Role, configuration: HTTP2Configuration = .init(),
        memory: SessionMemory = SessionMemory()
    ) throws(NGHTTP2Error) {
        session = try HTTP2Session(role: role, configuration: configuration, memory: memory)
    }

    // MARK: The end

    var isOpen: Bool {
        if case .open = state { true } else { false }
    }

    /// How the connection ends, once it is ending.
    var ending: Ending? {
        if case .ending(let ending) = state { ending } else { nil }
    }

    /// Whether frames may still be sent.
    var sendsFrames: Bool {
        switch state {
        case .open, .ending(.afterFlush), .ending(.afterGoAway): true
        case .ending(.now), .ending(.afterWriting), .closed: false
        }
    }

    /// Ends the connection at once, even if output remains.
    func fail(_ reason: CloseReason) {
        end(.now, reason)
    }

    /// Ends the connection with a GOAWAY that tells the peer the reason.
    func terminate(_ reason: CloseReason) {
        guard isOpen else { return }
        closeReason = closeReason ?? reason
        do {
            try session.submitGoAway(reason.code, debug: reason.debug)
            end(.terminated, reason)
        } catch {
            fail(reason)
        }
    }

    func end(_ ending: Ending, _ reason: CloseReason? = nil) {
        guard isOpen else { return }
        closeReason = closeReason ?? reason
        state = .ending(ending)
    }

    /// We or nghttp2 have sent a GOAWAY with the reason for the end.
    func goAwaySent(_ code: HTTP2ErrorCode, _ debug: String) {
        closeReason = closeReason ?? .violation(code, debug)
    }

    func close() {
        state = .closed
    }

    // MARK: Time

    /// Schedules a call of `tick` at `moment`, unless an earlier one is scheduled.
    func tick(by moment: NIODeadline) {
        nextTick = min(nextTick, moment)
    }

    func restartTicks() {
        nextTick = closeBy
    }

    // MARK: Bytes

    func countRead(_ count: Int) {
        bytesRead += count
    }

    /// Hands over the output for the socket, piece by piece.
    func takeOutput(_ body: (ByteBuffer) -> Void) {
        guard session.outputCount > 0 else { return }
        isMereData = false
        bytesWritten += session.outputCount
        session.takeOutput(body)
    }

    /// Bytes that the socket has passed on while the peer does not read; nil while it reads.
    var bytesPassedWhileBlocked: Int? { blockedBytes.map { bytesWritten - $0 } }
}

/// How a connection ends.
enum Ending: Equatable {
    /// At once.
    case now
    /// When these bytes have been written instead of frames, or `limit` has passed: the peer does not speak HTTP/2.
    case afterWriting(ByteBuffer, limit: TimeAmount)
    /// When all frames have been written, or `limit` has passed.
    ///
    /// - linger: how long the peer then has to close the socket first.
    case afterFlush(linger: TimeAmount = .zero, limit: TimeAmount)

    /// When all frames have been written, our side ends, so that the peer reads the GOAWAY among them and closes; at the latest
    /// after `limit`. Until then, what it still sends is dropped.
    ///
    /// If we closed at once with bytes unread, TCP would reset the connection, and the peer might not see the reason
    /// (RFC 9112 section 9.6).
    case afterGoAway(limit: TimeAmount)

    /// The end after a last answer that is on its way.
    static let answered = afterWriting(ByteBuffer(), limit: .seconds(1))
    /// The end after telling the peer the reason. If it does not read the GOAWAY, we wait no longer than this.
    static let terminated = afterGoAway(limit: .seconds(1))
    /// How long the last frames of an orderly end may take to be written.
    static let orderlyLimit = TimeAmount.seconds(30)
}
