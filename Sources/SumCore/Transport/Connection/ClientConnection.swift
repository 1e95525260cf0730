internal import NIOCore

/// One dialled socket: its session and the calls on it.
final class ClientConnection: HTTP2Connection {
    /// Succeeds when the server's SETTINGS are here, fails if they never come.
    let ready: EventLoopPromise<Void>
    private var isReady = false
    private var streams: [Int32: ClientStream] = [:]
    /// The last request, since the next is mostly the same.
    private var lastRequest: (request: GRPCRequestHead, fields: [HTTP2Field])?
    /// What the server said when it told us to go away.
    private var farewell: String?
    /// The first bytes of a server, until it has begun HTTP/2.
    private var beginning = ByteBuffer()

    /// Whether the server has ended the connection because of our PINGs (grpc/proposal A8).
    private(set) var hasPingedTooOften = false

    /// Frames without data that the server may send at once; see `FrameBudget`.
    private static let maxOverhead = 1000

    /// Bytes of frames that are made for a server that does not read.
    private static let unreadOutputLimit = 1 << 10

    init(ready: EventLoopPromise<Void>, keepalive: Keepalive? = nil) throws(NGHTTP2Error) {
        self.ready = ready
        super.init(session: try HTTP2Session(role: .client))
        self.keepalive = keepalive
    }

    override var hasCalls: Bool { !streams.isEmpty }
    /// A long stream takes a twentieth less time with this than with half of it.
    override var writeSize: Int { 512 << 10 }

    override func opened() {
        guard let now = context?.eventLoop.now else { return }
        keepalive?.received(at: now)
        frameBudget = FrameBudget(overhead: Self.maxOverhead, resets: nil, now: now)
    }

    override func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if !isReady, failsForeign(unwrapInboundIn(data)) { return }
        super.channelRead(context: context, data: data)
    }

    /// Gives up on a server that begins with something else than HTTP/2, which would make frames that nobody understands.
    private func failsForeign(_ bytes: ByteBuffer) -> Bool {
        guard !isClosing else { return false }
        if beginning.readableBytes < Self.beginningLength { beginning.writeImmutableBuffer(bytes) }
        let foreign = InvalidPreface(beginning, of: .server)
        guard foreign.isHTTP1 || (foreign.isTLS && beginning.readableBytes > 1) else { return false }
        fail(foreign)
        return true
    }

    /// As many bytes as tell what it is.
    private static let beginningLength = 9

    override func handle(_ event: HTTP2Event) throws(NGHTTP2Error) {
        switch event {
        case .settings:
            isReady = true
            beginning = ByteBuffer()
            ready.succeed()
        case .headers(let streamID, let fields, _, let endStream):
            guard let stream = streams[streamID] else { return }
            switch stream.call.receiveHeaders(fields, endStream: endStream) {
            case .nothing: break
            case .begin(let metadata, let compression):
                stream.handler.receiveHeaders(metadata, compression: compression)
            case .quote: endQuoteLater(stream)
            case .end(let callEnd): try end(stream, callEnd, resetWith: endStream ? .noError : .cancel)
            }
        case .headersTooLong(let streamID, let fields, let length, let endStream):
            guard let stream = streams[streamID],
                let callEnd = stream.call.receiveHeaders(fields, tooLong: length)
            else { return }
            try end(stream, callEnd, resetWith: endStream ? .noError : .cancel)
        case .refused(let streamID, let reason):
            guard let stream = streams[streamID] else { return }
            let status = GRPCStatus(code: .internalError, message: "the answer broke HTTP/2: \(reason)")
            if let callEnd = stream.call.endQuote() ?? stream.call.fail(status) {
                stream.deadline?.cancel()
                stream.handler.end(callEnd)
            }
        case .data(let streamID, let bytes):
            try receive(bytes, on: streamID)
        case .endStream(let streamID):
            guard let stream = streams[streamID] else { return }
            if let callEnd = stream.call.receiveEnd() { try end(stream, callEnd, resetWith: .noError) }
        case .requestSent(let streamID):
            streams[streamID]?.call.headSent()
        case .answerBegun(let streamID):
            streams[streamID]?.call.answerBegun()
        case .endStreamSent(let streamID):
            streams[streamID]?.call.endSent()
        case .closed(let streamID, let code):
            closed(streamID, code)
        case .notSent(.request, let streamID, let error):
            // There is no stream to reset; that it is closed is told next.
            guard let stream = streams[streamID] else { return }
            let notSent = GRPCStatus(code: .unavailable, message: "the call could not be sent: \(error)")
            if let callEnd = stream.call.lost(notSent) { stream.handler.end(callEnd) }
        case .goAway(_, let code, let debug):
            hasPingedTooOften = code == .enhanceYourCalm && debug == PingStrikes.reason
            farewell = debug.isEmpty ? "\(code)" : "\(code), \(debug.escapedForDisplay)"
            try endUnsentCalls()
        case .goAwaySent(let code, let debug):
            endCalls(Self.status(of: failure, code, debug), isBroken: true)
        case .ping, .pingAcknowledged, .settingsAcknowledged, .notSent(.other, _, _):
            break
        }
    }

    override func judge(at now: NIODeadline) throws(NGHTTP2Error) {
        try super.judge(at: now)
        if !isClosing, context?.channel.isWritable == false { try makeControlFrames() }
    }

    /// Makes the first of the frames that wait although the server does not read: what nghttp2 has found wrong shows in
    /// the GOAWAY that it makes, and nowhere else.
    private func makeControlFrames() throws(NGHTTP2Error) {
        while session.queuedFrames > 0, session.outputCount < Self.unreadOutputLimit {
            let before = session.outputCount
            _ = try session.send(limit: before + 1)
            try handleEvents()
            guard session.outputCount > before else { return }
        }
    }

    private func receive(_ bytes: ByteBuffer, on streamID: Int32) throws(NGHTTP2Error) {
        try session.creditConnection(bytes.readableBytes)
        guard let stream = streams[streamID] else { return }
        switch stream.call.receive(bytes) {
        case .messages: break
        case .nothing: return try session.creditStream(streamID, bytes.readableBytes)
        case .end(let callEnd): return try end(stream, callEnd, resetWith: .cancel)
        }
        let consumed: Int
        do throws(GRPCStatus) {
            consumed = try stream.handler.receive(bytes)
        } catch {
            if let callEnd = stream.call.fail(error) { try end(stream, callEnd, resetWith: .cancel) }
            return
        }
        try session.creditStream(streamID, consumed)
    }

    private func closed(_ streamID: Int32, _ code: HTTP2ErrorCode) {
        guard let stream = streams.removeValue(forKey: streamID) else { return }
        stream.deadline?.cancel()
        let hasExpired = NIODeadline.now() >= stream.expiry
        if let callEnd = stream.call.closed(code, deadlineHasPassed: hasExpired) {
            stream.handler.end(callEnd)
        }
    }

    /// Tells the handler, and stops the stream unless both sides have ended it.
    private func end(
        _ stream: ClientStream, _ callEnd: ClientCallEnd, resetWith code: HTTP2ErrorCode = .cancel
    ) throws(NGHTTP2Error) {
        stream.deadline?.cancel()
        stream.handler.end(callEnd)
        if code != .noError || !stream.call.hasSentEverything {
            try session.submitReset(code, on: stream.id)
        }
    }

    override func closed() {
        endCalls(
            GRPCStatus(code: .unavailable, message: "the connection was lost\(reasonSuffix)"),
            isBroken: failure is NGHTTP2Error)
        ready.fail(notReady)
    }

    /// The connection is of no use any more, whether it is closed already or not.
    private func endCalls(_ lost: GRPCStatus, isBroken: Bool = false) {
        let lostStreams = streams.values
        streams = [:]
        for stream in lostStreams {
            stream.deadline?.cancel()
            if let callEnd = stream.call.lost(lost, isBroken: isBroken) { stream.handler.end(callEnd) }
        }
    }

    /// After a GOAWAY, nghttp2 sends no more requests, but lets those that wait do so until it is their turn.
    private func endUnsentCalls() throws(NGHTTP2Error) {
        let lost = GRPCStatus(code: .unavailable, message: "the call could not be sent\(reasonSuffix)")
        for stream in Array(streams.values) where stream.call.hasSentNothing {
            if let callEnd = stream.call.lost(lost) { try end(stream, callEnd) }
        }
    }

    /// - Parameter failure: why the connection ends: a limit of ours, or what nghttp2 found.
    private static func status(
        of failure: (any Error)?, _ code: HTTP2ErrorCode, _ debug: String
    ) -> GRPCStatus {
        let isOurs = (failure as? GoAwayReason) != .found(code, debug)
        let reason =
            if let failure, isOurs { "the connection was ended: \(failure)" } else {
                "the answer broke HTTP/2: \(code)\(debug.isEmpty ? "" : ", \(debug)")"
            }
        return GRPCStatus(code: .unavailable, message: reason)
    }

    /// How long the text of a foreign answer is waited for.
    private static let quoteLimit = TimeAmount.seconds(1)

    private func endQuoteLater(_ stream: ClientStream) {
        context?.eventLoop.assumeIsolated().scheduleTask(in: Self.quoteLimit) { [weak self, weak stream] in
            guard let self, let stream, let callEnd = stream.call.endQuote() else { return }
            submit { () throws(NGHTTP2Error) in try self.end(stream, callEnd) }
        }
    }

    private var reasonSuffix: String {
        if let farewell { return ": the server said \(farewell)" }
        if let failure { return ": \(FailureText.describe(failure))" }
        return ""
    }

    private var notReady: ConnectFailure {
        if let failure = failure as? ConnectFailure { return failure }
        if let foreign = failure as? InvalidPreface { return ConnectFailure(description: "\(foreign)") }
        guard session.wantsRead, !(failure is NGHTTP2Error) else {
            return ConnectFailure(description: "\(InvalidPreface(beginning, of: .server))")
        }
        return ConnectFailure(
            description: "the connection was closed before the server had said anything", isTemporary: true)
    }

    // MARK: Calls

    /// Begins a call. The deadline runs from now.
    ///
    /// - Returns: the stream, or nil when the call has ended before it began.
    func start(_ request: GRPCRequestHead, handler: any ClientCallHandler) -> ClientStream? {
        let timeout = request.timeout.map { TimeAmount.nanoseconds($0.wholeNanoseconds) }
        let expiry = timeout.map { NIODeadline.now() + $0 } ?? .distantFuture
        let stream = ClientStream(handler: handler, expiry: expiry)
        do throws(GRPCStatus) {
            stream.id = try submit(request, body: stream)
        } catch {
            // Other statuses are of the call's own making: another connection would not help.
            let isOfConnection = error.code == .unavailable
            handler.end(ClientCallEnd(status: error, reach: isOfConnection ? .notSentOnWire : .maybeSeen))
            return nil
        }
        streams[stream.id] = stream
        if let timeout {
            stream.deadline = context?.eventLoop.assumeIsolated().scheduleTask(in: timeout) {
                [weak self] in
                self?.cancel(stream, .deadlineExceeded(while: stream.call.activity))
            }
        }
        flushSoon()
        return stream
    }

    private func submit(_ request: GRPCRequestHead, body: ClientStream) throws(GRPCStatus) -> Int32 {
        guard context != nil, isReady, !isClosing, failure == nil, farewell == nil else {
            throw GRPCStatus(code: .unavailable, message: "the connection was lost\(reasonSuffix)")
        }
        if let timeout = request.timeout, timeout <= .zero { throw .deadlineExceeded }
        let fields = fields(of: request)
        let (size, limit) = (fields.listSize, session.peerMaxHeaderListSize)
        guard size <= limit else {
            throw GRPCStatus(
                code: .resourceExhausted,
                message: "the headers of the call have \(size) bytes, and the server takes \(limit)")
        }
        do {
            return try session.submitRequest(fields, body: body)
        } catch {
            throw GRPCStatus(code: .unavailable, message: "the call could not be sent: \(error)")
        }
    }

    private func fields(of request: GRPCRequestHead) -> [HTTP2Field] {
        if let lastRequest, lastRequest.request == request { return lastRequest.fields }
        let fields = request.fields()
        lastRequest = (request, fields)
        return fields
    }

    /// Pulls the body of a call again, which had nothing to give.
    func resume(_ stream: ClientStream) {
        session.resume(stream.id)
        flushSoon()
    }

    /// Gives the server credit for bytes of a call's responses that have been consumed late.
    func credit(_ stream: ClientStream, _ count: Int) {
        guard !stream.call.hasEnded else { return }
        submitForLater { () throws(NGHTTP2Error) in try session.creditStream(stream.id, count) }
    }

    func cancel(_ stream: ClientStream, _ status: GRPCStatus) {
        guard let callEnd = stream.call.fail(status) else { return }
        submit { () throws(NGHTTP2Error) in try end(stream, callEnd) }
    }

    /// Ends the connection; calls on it are cancelled.
    ///
    /// - Parameter limit: how long a server that has stopped reading may keep us from telling it so.
    func shutDown(within limit: TimeAmount) {
        context?.eventLoop.assumeIsolated().scheduleTask(in: limit) { [weak self] in
            self?.fail(ConnectFailure(description: "the server has stopped reading"))
            // A connection that is about to end anyway may give its last words longer.
            self?.context?.close(promise: nil)
        }
        for stream in Array(streams.values) {
            cancel(stream, GRPCStatus(code: .cancelled, message: "the client closed the connection"))
        }
        submit { () throws(NGHTTP2Error) in try session.submitGoAway() }
    }
}

/// Why a connection did not come to be.
struct ConnectFailure: Error, CustomStringConvertible {
    var description: String
    /// Whether a further attempt may succeed.
    var isTemporary = false
}
