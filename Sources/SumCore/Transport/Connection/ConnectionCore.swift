internal import NIOCore

/// What the connections of both roles have in common: the HTTP/2 session, the limits on what a peer may send, keepalive,
/// the clock, and how the connection ends.
///
///     open ──▶ ending ──▶ closed
///        └───────────────────▲
///
/// The first reason to end stays the reason.
///
/// For the properties without a check for overlapping accesses, see `HTTP2Session`: what is said there holds here.
final class ConnectionCore {
    private enum State {
        case open
        case ending(Ending)
        case closed
    }

    let session: HTTP2Session
    @safe @exclusivity(unchecked) private var state = State.open
    /// Why the connection ends; nil while it does not, or when both sides were done with it.
    @safe @exclusivity(unchecked) private(set) var closeReason: CloseReason?

    /// The time of the input that is being handled.
    @safe @exclusivity(unchecked) var now = NIODeadline.distantPast
    /// When `tick` is to be called next, for whichever limit it is.
    @safe @exclusivity(unchecked) private(set) var nextTick = NIODeadline.distantFuture
    /// When the socket is closed, whatever there is still to send.
    var closeBy = NIODeadline.distantFuture

    /// Asks a silent peer whether it is there; nil: it may be silent for ever.
    @safe @exclusivity(unchecked) var keepalive: Keepalive?
    /// What the peer may send that makes no call progress. Set when the connection opens.
    @safe @exclusivity(unchecked) var frameBudget: FrameBudget?

    /// Bytes that the socket's queue holds because the peer takes no more; nil while it takes what there is.
    @safe @exclusivity(unchecked) var blockedBytes: Int?
    /// Whether output should leave before more input is looked at.
    @safe @exclusivity(unchecked) var wantsFlush = false
    /// Whether nothing but DATA has come, and nothing was written, since this was last set.
    @safe @exclusivity(unchecked) var isMereData = true
    @safe @exclusivity(unchecked) private(set) var bytesRead = 0
    @safe @exclusivity(unchecked) private(set) var bytesWritten = 0
    /// An array whose storage takes the session's next events.
    @safe @exclusivity(unchecked) private var spentEvents: [HTTP2Event] = []

    init(role: HTTP2Session.Role, configuration: HTTP2Configuration = .init()) throws(NGHTTP2Error) {
        session = try HTTP2Session(role: role, configuration: configuration)
    }

    // MARK: The end

    var isOpen: Bool {
        if case .open = state { true } else { false }
    }

    /// How the connection ends, once it does.
    var ending: Ending? {
        if case .ending(let ending) = state { ending } else { nil }
    }

    /// Whether frames may still be sent.
    var sendsFrames: Bool {
        switch state {
        case .open, .ending(.afterFlush): true
        case .ending(.now), .ending(.afterWriting), .closed: false
        }
    }

    /// Ends the connection at once, whatever is still to be sent.
    func fail(_ reason: CloseReason) {
        end(.now, reason)
    }

    /// Ends the connection after a GOAWAY that tells the peer the reason.
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

    /// We told the peer why the connection ends, or nghttp2 did.
    func goAwaySent(_ code: HTTP2ErrorCode, _ debug: String) {
        closeReason = closeReason ?? .violation(code, debug)
    }

    func close() {
        state = .closed
    }

    // MARK: Time

    /// Has `tick` called at a moment, unless it is called sooner anyway.
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

    /// Hands over what is to be written to the socket, piece by piece.
    func takeOutput(_ body: (ByteBuffer) -> Void) {
        guard session.outputCount > 0 else { return }
        isMereData = false
        bytesWritten += session.outputCount
        session.takeOutput(body)
    }

    /// Bytes that the socket has passed on while the peer takes no more; nil while it does.
    var bytesPassedWhileBlocked: Int? { blockedBytes.map { bytesWritten - $0 } }

    /// Handles the session's events until there are none.
    func drainEvents(_ handle: (HTTP2Event) throws(NGHTTP2Error) -> Void) throws(NGHTTP2Error) {
        while session.hasEvents {
            var events = session.takeEvents(reusing: spentEvents)
            for event in events {
                if case .data = event {} else { isMereData = false }
                if case .goAwaySent(let code, let debug) = event { goAwaySent(code, debug) }
                try handle(event)
            }
            // Emptied at once: DATA events hold on to the buffer that was read into.
            events.removeAll(keepingCapacity: true)
            spentEvents = events
        }
    }
}

/// How a connection ends.
enum Ending: Equatable {
    /// At once.
    case now
    /// When these bytes have been written in place of frames, or `limit` has passed: the peer does not speak HTTP/2.
    case afterWriting(ByteBuffer, limit: TimeAmount)
    /// When all frames have been written, or `limit` has passed.
    ///
    /// - linger: how long the peer then has for closing the socket first.
    case afterFlush(linger: TimeAmount = .zero, limit: TimeAmount)

    /// The end of a peer that was told why: a GOAWAY that it does not read is not waited for longer.
    static let terminated = afterFlush(limit: .seconds(1))
    /// How long the last frames of an orderly end may take to be written.
    static let orderlyLimit = TimeAmount.seconds(30)
}
