internal import NIOCore

/// The client's end of a connection: its session and its calls.
///
///     connecting ──▶ ready ──▶ goingAway
///
/// It can end from any of these states, as `ConnectionCore` describes.
///
/// For the properties without exclusivity checks, see `HTTP2Session`; the same reasons hold here.
final class ClientConnection: Connection {
    enum State {
        /// The server has not sent its SETTINGS yet. What it sends may not be HTTP/2.
        case connecting(Readiness, beginning: ByteBuffer)
        case ready
        /// The server has sent GOAWAY, with this code and debug data.
        case goingAway(String, becauseOfPings: Bool)
    }

    /// Called once: when the connection is ready for calls, or with the reason that it never will be.
    typealias Readiness = (Result<Void, ConnectFailure>) -> Void

    let core: ConnectionCore
    /// Decides whether credentials are sent.
    private let security: ConnectionSecurity
    /// Called when the server has said GOAWAY; it may say it several times.
    private let goingAway: () -> Void
    /// Whether to close the connection when its last call has ended.
    private var isRetired = false
    @safe @exclusivity(unchecked) private(set) var state: State
    @safe @exclusivity(unchecked) var streams = StreamTable<ClientStream>()
    var deadlines = DeadlineQueue()
    /// The last request; the next is usually the same.
    @safe @exclusivity(unchecked) var lastRequest: SentRequest?
    /// The last header block that began a response, and the last after one; the next are usually the same.
    @safe @exclusivity(unchecked) private var (lastHeaders, lastTrailers) = (
        ResponseBlock?.none, ResponseBlock?.none
    )

    /// A long stream takes 5% less time with this size than with half of it.
    static let writeSize = 512 << 10
    static let speaksFirst = true
    /// How long a server that has stopped reading may delay closing its connection.
    static let closeLimit = TimeAmount.milliseconds(500)
    /// Frames without data that the server may send in a burst; see `FrameBudget`.
    private static let maxOverhead = 1000
    /// Bytes of frames to make for a server that does not read.
    private static let unreadOutputLimit = 1 << 10
    /// Bytes needed to tell whether a server speaks HTTP/2.
    private static let beginningLength = 9

    init(
        security: ConnectionSecurity = .clear, keepalive: Keepalive? = nil,
        _ readiness: @escaping Readiness = { _ in },
        goingAway: @escaping () -> Void = {}
    ) throws(NGHTTP2Error) {
        self.goingAway = goingAway
        self.security = security
        state = .connecting(readiness, beginning: ByteBuffer())
        core = try ConnectionCore(role: .client)
        core.keepalive = keepalive
    }

    var hasCalls: Bool { !streams.isEmpty }
    var hasBacklog: Bool { false }
    var orderlyEnding: Ending { .afterFlush(limit: Ending.orderlyLimit) }

    /// Whether the server ended the connection because of our PINGs (grpc/proposal A8).
    var hasPingedTooOften: Bool {
        if case .goingAway(_, let becauseOfPings) = state { becauseOfPings } else { false }
    }

    /// Whether the request has no token, or one that may be sent here.
    func keepsSecret(_ request: GRPCRequestHead) -> Bool {
        guard request.bearerToken != nil else { return true }
        return switch security {
        case .tls, .unix: true
        case .loopback: request.sendsTokenToLoopback
        case .clear: false
        }
    }

    // MARK: The connection

    func opened(_ transport: Transport<ClientConnection>) {
        core.keepalive?.received(at: core.now)
        core.frameBudget = FrameBudget(overhead: Self.maxOverhead, resets: nil, now: core.now)
    }

    func willRead(_ budget: TurnBudget) {}
    func takeTurn(within turn: inout TurnBudget, at now: NIODeadline) {}
    func outputWaits() {}

    /// Fails the connection if the server begins with something other than HTTP/2. Parsed as frames, it would give
    /// obscure errors.
    func willReceive(_ bytes: ByteBuffer) {
        guard case .connecting(let readiness, var beginning) = state else { return }
        if beginning.readableBytes < Self.beginningLength { beginning.writeImmutableBuffer(bytes) }
        state = .connecting(readiness, beginning: beginning)
        let preface = InvalidPreface(beginning, of: .server)
        guard preface.isHTTP1 || (preface.isTLS && beginning.readableBytes > 1) else { return }
        core.fail(.invalidPreface(preface))
    }

    func receiveInvalidPreface(_ bytes: ByteBuffer) {
        core.fail(.invalidPreface(InvalidPreface(bytes, of: .server)))
    }

    func judgeInput() throws(NGHTTP2Error) {
        if core.isOpen, core.blockedBytes != nil { try makeControlFrames() }
    }

    /// Makes the first waiting frames even though the server does not read: errors that nghttp2 has found appear only
    /// in the GOAWAY that it makes.
    private func makeControlFrames() throws(NGHTTP2Error) {
        let session = core.session
        while session.queuedFrames > 0, session.outputCount < Self.unreadOutputLimit {
            let before = session.outputCount
            _ = try session.send(limit: before + 1)
            try handleEvents()
            guard session.outputCount > before else { return }
        }
    }

    func checkTime() -> NIODeadline? {
        [checkKeepalive(), checkDeadlines()].compactMap { $0 }.min()
    }

    /// Fails a connection that is not ready yet. Does nothing if it has become ready meanwhile.
    func giveUp(_ words: String) {
        guard case .connecting = state else { return }
        core.fail(.ourselves(words))
    }

    /// Closes the connection as soon as it has no calls. It must get no new ones.
    func retire() {
        isRetired = true
        if !hasCalls { shutDown(within: Self.closeLimit) }
    }

    /// Refuses new calls, cancels the open ones, tells the server, and ends the connection.
    ///
    /// - Parameter limit: how long a server that has stopped reading may delay the end.
    func shutDown(within limit: TimeAmount) {
        core.closeBy = core.now + limit
        core.tick(by: core.closeBy)
        for stream in streams.values {
            cancel(stream, .clientClosed)
        }
        attempt { () throws(NGHTTP2Error) in try core.session.submitGoAway() }
    }

    func closed() {
        core.close()
        endCalls(
            GRPCStatus(code: .unavailable, message: "the connection was lost\(reasonSuffix)"),
            isBroken: core.closeReason?.fault == .violation)
        if case .connecting(let readiness, let beginning) = state {
            state = .ready
            readiness(.failure(connectFailure(beginning)))
        }
    }

    private func connectFailure(_ beginning: ByteBuffer) -> ConnectFailure {
        switch core.closeReason?.fault {
        case .ourselves?, .invalidPreface?, .tls?:
            return ConnectFailure(description: core.closeReason?.description ?? "")
        case .tlsInterrupted?:
            return ConnectFailure(description: core.closeReason?.description ?? "", isTemporary: true)
        case .violation?:
            return ConnectFailure(description: InvalidPreface(beginning, of: .server).description)
        case .limit?, .circumstances?, nil:
            guard core.session.wantsRead else {
                return ConnectFailure(description: InvalidPreface(beginning, of: .server).description)
            }
            return ConnectFailure(
                description: "the connection was closed before the server had said anything",
                isTemporary: true)
        }
    }

    /// Why the connection takes no more calls; nil if no reason was given.
    var lossReason: String? {
        if case .goingAway(let words, _) = state { return "the server said \(words)" }
        return core.closeReason?.description
    }

    var reasonSuffix: String { lossReason.map { ": \($0)" } ?? "" }

    // MARK: Events

    func handle(_ event: consuming HTTP2Event) throws(NGHTTP2Error) {
        switch consume event {
        case .settings:
            guard case .connecting(let readiness, _) = state else { return }
            state = .ready
            readiness(.success(()))
        case .headers(let streamID, let fields, let kind, let endStream):
            try receiveHeaders(block(fields, kind), endStream: endStream, on: streamID)
        case .headersTooLong(let streamID, let fields, let length, let endStream):
            guard let stream = streams[streamID],
                let callEnd = stream.call.receiveHeaders(fields, tooLong: length)
            else { return }
            try end(stream, callEnd, resetWith: endStream ? .noError : .cancel)
        case .refused(let streamID, let reason):
            guard let stream = streams[streamID] else { return }
            let status = GRPCStatus(code: .internalError, message: "the response broke HTTP/2: \(reason)")
            // nghttp2 resets the stream.
            if let callEnd = stream.call.endQuote() ?? stream.call.fail(status) {
                stream.handler.end(callEnd)
            }
        case .data(let streamID, let bytes):
            try receive(bytes, on: streamID)
        case .endStream(let streamID):
            guard let stream = streams[streamID] else { return }
            if let callEnd = stream.call.receiveEnd() { try end(stream, callEnd, resetWith: .noError) }
        case .requestSent(let streamID):
            streams[streamID]?.call.headSent()
        case .responseBegun(let streamID):
            streams[streamID]?.call.responseBegun()
        case .endStreamSent(let streamID):
            streams[streamID]?.call.endSent()
        case .closed(let streamID, let code):
            closed(streamID, code)
        case .notSent(.request, let streamID, let error):
            // There is no stream to reset. The event that it is closed follows.
            guard let stream = streams[streamID] else { return }
            let notSent = GRPCStatus(code: .unavailable, message: "the call could not be sent: \(error)")
            if let callEnd = stream.call.lost(notSent) { stream.handler.end(callEnd) }
        case .goAway(_, let code, let debug):
            if case .connecting(let readiness, _) = state {
                readiness(.failure(ConnectFailure(description: "the server said \(code)", isTemporary: true)))
            }
            state = .goingAway(
                debug.isEmpty ? "\(code)" : "\(code), \(debug.escapedForDisplay)",
                becauseOfPings: code == .enhanceYourCalm && debug == PingStrikes.reason)
            try endUnsentCalls()
            goingAway()
        case .goAwaySent(let code, let debug):
            core.goAwaySent(code, debug)
            endCalls(lastStatus(code, debug), isBroken: true)
        case .ping, .pingAcknowledged, .settingsAcknowledged, .notSent(.other, _, _):
            break
        }
    }

    private func block(_ fields: [HTTP2Field], _ kind: HTTP2Event.HeadersKind) -> ResponseBlock {
        let last = kind == .following ? lastTrailers : lastHeaders
        if let last, last.fields == fields { return last }
        let block = ResponseBlock(fields)
        if kind == .following { lastTrailers = block } else { lastHeaders = block }
        return block
    }

    private func receiveHeaders(
        _ block: ResponseBlock, endStream: Bool, on streamID: Int32
    ) throws(NGHTTP2Error) {
        guard let stream = streams[streamID] else { return }
        switch stream.call.receiveHeaders(block, endStream: endStream) {
        case .nothing: break
        case .begin(let metadata, let compression):
            stream.handler.receiveHeaders(metadata, compression: compression)
        case .quote: wake(stream, at: min(stream.expiry, core.now + Self.quoteLimit))
        case .end(let callEnd): try end(stream, callEnd, resetWith: endStream ? .noError : .cancel)
        }
    }

    private func receive(_ bytes: ByteBuffer, on streamID: Int32) throws(NGHTTP2Error) {
        try core.session.creditConnection(bytes.readableBytes)
        guard let stream = streams[streamID] else { return }
        stream.bytesReceived += bytes.readableBytes
        switch stream.call.receive(bytes) {
        case .messages: break
        case .nothing: return try core.session.creditStream(streamID, bytes.readableBytes)
        case .end(let callEnd): return try end(stream, callEnd, resetWith: .cancel)
        }
        let consumed: Int
        do throws(GRPCStatus) {
            consumed = try stream.handler.receive(bytes)
        } catch {
            if let callEnd = stream.call.fail(error) { try end(stream, callEnd, resetWith: .cancel) }
            return
        }
        try core.session.creditStream(streamID, consumed)
    }

    private func closed(_ streamID: Int32, _ code: HTTP2ErrorCode) {
        guard let stream = streams.remove(streamID) else { return }
        let hasExpired = core.now >= stream.expiry
        if let callEnd = stream.call.closed(code, deadlineHasPassed: hasExpired) {
            stream.handler.end(callEnd)
        }
        if isRetired, !hasCalls { shutDown(within: Self.closeLimit) }
    }
}
