internal import Logging
internal import NIOCore

/// One accepted socket: its session and the calls on it.
final class ServerConnection: HTTP2Connection {
    /// Sent down the pipeline of every connection when the server shuts down.
    enum Event {
        case drain
    }

    private var requests: RequestRouter
    private let logger: Logger
    let logsCalls: Bool
    private let logsBeginnings: Bool
    private var callLog: CallLog
    let offences: ThrottledLog
    private(set) var peer = "?"

    let configuration: GRPCServer.Configuration
    var handshake: PrefaceTimeout?
    /// Since when a header block has been arriving.
    var headersSince: NIODeadline?
    var lifetime: ConnectionLifetime?
    /// Whether the client takes what it is sent.
    var stall = StallDetector()
    private var pingStrikes: PingStrikes

    private(set) var streams: [Int32: ServerStream] = [:]
    /// Whether there may be a stream whose client must take something soon (`ServerStream.owesClientProgress`).
    var mayOweProgress = false
    /// The calls whose handlers have not ended, though the stream may have.
    private var unfinished: Set<Int32> = []
    /// What the calls hold together.
    private let memory = CallMemory()

    /// What is shared with the other connections of the event loop.
    private(set) var resources: LoopResources?
    /// What slow work may be done now.
    private var budget = TurnBudget(0)
    /// The streams with a backlog, in the order of their turns.
    var backlogged = CircularBuffer<Int32>()
    var drain = Drain.none

    /// How long the client has for ending its side when the status has come before. Not zero: HAProxy 2.6 makes
    /// RST_STREAM(CANCEL) of ours, for which grpcio forgets the status that it has just read
    /// (https://github.com/haproxy/haproxy/issues/1219).
    private static let earlyEndLimit = TimeAmount.seconds(1)
    /// A timeout below this is over before a timer could say so, though the whole call may have been read by then.
    private static let shortestTimeout = Duration.microseconds(1)

    init(
        methods: [String: GRPCMethod], configuration: GRPCServer.Configuration, logger: Logger,
        offences: ThrottledLog, resources: LoopResources? = nil
    ) throws(NGHTTP2Error) {
        self.resources = resources
        requests = RequestRouter(methods: methods)
        self.configuration = configuration
        self.logger = logger
        logsCalls = logger.logLevel <= .debug
        logsBeginnings = logger.logLevel <= .trace
        callLog = CallLog(logger: logger)
        self.offences = offences
        pingStrikes = PingStrikes(
            minInterval: TimeAmount(configuration.minPingInterval),
            permitsWithoutCalls: configuration.permitsPingsWithoutCalls)
        var http2 = HTTP2Configuration()
        http2.maxConcurrentStreams = UInt32(clamping: configuration.maxConcurrentStreams)
        http2.maxHeaderListSize = configuration.maxHeaderListSize
        super.init(session: try HTTP2Session(role: .server, configuration: http2))
    }

    /// After a graceful end the client closes first, so that it has read everything. TCP drops what has arrived
    /// unread when the other side closes while bytes come in, and HAProxy 2.6 drops trailers that it reads together
    /// with the close.
    override var closingLimit: TimeAmount {
        if case .none = drain { .zero } else { .seconds(1) }
    }

    override func opened() {
        peer = context?.remoteAddress.map(ListenAddress.describe) ?? "?"
        guard let loop = context?.eventLoop else { return }
        let now = loop.now
        resources = resources ?? LoopResources(eventLoop: loop)
        handshake = PrefaceTimeout(limit: TimeAmount(configuration.handshakeTimeout), now: now)
        frameBudget = FrameBudget(
            overhead: configuration.maxOverheadFrames,
            resets: max(configuration.maxResets, configuration.maxConcurrentStreams),
            decompressionExcess: configuration.maxDecompressionExcess, now: now)
        keepalive = Keepalive(
            time: TimeAmount(configuration.keepaliveTime),
            timeout: TimeAmount(configuration.keepaliveTimeout),
            withoutCalls: true, now: now)
        lifetime = ConnectionLifetime(
            idle: configuration.maxConnectionIdle.map(TimeAmount.init),
            age: configuration.maxConnectionAge.map(TimeAmount.init),
            grace: configuration.maxConnectionAgeGrace.map(TimeAmount.init), now: now)
    }

    override func handle(_ event: HTTP2Event) throws(NGHTTP2Error) {
        switch event {
        case .headers(let streamID, let fields, .request, let endStream):
            try begin(streamID, fields)
            if endStream { try receiveEnd(streamID) }
        case .headers(let streamID, _, _, endStream: true), .endStream(let streamID):
            try receiveEnd(streamID)
        case .headersTooLong(let streamID, let fields, let length, let endStream):
            try refuseHeaders(of: streamID, fields, length)
            if endStream { try receiveEnd(streamID) }
        case .refused(let streamID, let reason):
            noteReset(reason)
            streams[streamID]?.abandon(
                GRPCStatus(code: .internalError, message: "the request broke HTTP/2: \(reason)"))
        case .data(let streamID, let bytes):
            try receive(bytes, on: streamID)
        case .endStreamSent(let streamID):
            guard let stream = streams[streamID] else { return }
            if let code = stream.call.endStreamSent() { scheduleReset(of: stream, code) }
        case .closed(let streamID, _):
            finish(streamID)
        case .pingAcknowledged(Self.drainPing):
            try refuseNewStreams()
        case .ping:
            receivePing()
        case .settings:
            handshake?.receivedSettings(at: context?.eventLoop.now ?? .now())
        case .settingsAcknowledged:
            handshake?.receivedAcknowledgement()
        case .goAway(_, let code, let debug):
            logger.debug(
                "the client says goodbye",
                metadata: ["peer": "\(peer)", "code": "\(code)", "words": "\(debug.escapedForDisplay)"])
        case .headers, .requestSent, .answerBegun, .notSent, .pingAcknowledged, .goAwaySent:
            break
        }
    }

    override func closed() {
        if case .announced(_, let limit) = drain { limit.cancel() }
        switch failure {
        case let offence? where offence is GoAwayReason || offence is NGHTTP2Error:
            offences.write(offence, of: peer, at: .now())
        case let failure?:
            offences.write(failure, of: peer, at: .now(), level: .debug)
        case nil:
            break
        }
        for streamID in Array(streams.keys) { finish(streamID) }
        callLog.close(peer: peer)
    }

    // MARK: Calls

    private func begin(_ streamID: Int32, _ fields: [HTTP2Field]) throws(NGHTTP2Error) {
        guard streams.count < configuration.maxConcurrentStreams else {
            return try refuse(streamID, isExcess: true)
        }
        // Handlers may go on for a while after their streams were reset (CVE-2023-44487).
        guard unfinished.count < configuration.maxConcurrentStreams else {
            return try refuse(streamID, isExcess: false)
        }
        let known: RoutedRequest
        do throws(GRPCRequestHead.Rejection) {
            known = try requests.route(fields)
        } catch {
            return try reject(error, path: fields.first(":path") ?? "", on: streamID)
        }
        let request = known.request
        guard let loop = context?.eventLoop else { return }
        let connection = NIOLoopBound(self, eventLoop: loop)
        let context = ServerCallContext(
            path: request.path, metadata: request.metadata, timeout: request.timeout, peer: peer,
            maxMessageSize: min(
                configuration.maxMessageSize, known.method.maxMessageSize ?? .max),
            compression: request.compression, acceptEncoding: request.acceptEncoding,
            deadline: request.timeout.map { .now + $0 }, memory: memory,
            post: { reply in loop.execute { connection.value.perform(late: reply(), on: streamID) } })
        let stream = ServerStream(
            id: streamID, path: request.path, handler: known.method.makeHandler(context),
            started: logsCalls ? .now() : nil)
        add(stream)
        if stream.handler is AsyncServerCallHandler { unfinished.insert(streamID) }
        if let timeout = request.timeout { try startDeadline(timeout, of: stream) }
        guard logsBeginnings else { return }
        logger.trace("call begins", metadata: ["peer": "\(peer)", "method": "\(request.path)"])
    }

    func add(_ stream: ServerStream) {
        streams[stream.id] = stream
        lifetime?.beginCalls()
    }

    private func receive(_ bytes: ByteBuffer, on streamID: Int32) throws(NGHTTP2Error) {
        // Credit on the connection does not wait for the handler, so that a slow call holds up no other.
        try session.creditConnection(bytes.readableBytes)
        guard let stream = streams[streamID] else { return }
        stream.bytesReceived += bytes.readableBytes
        if !stream.call.receive() {
            try session.creditStream(streamID, bytes.readableBytes)
        } else if stream.backlog.isEmpty {
            // Not in place: an offence may have the connection look at `budget` meanwhile.
            var slice = budget
            try offer(bytes, to: stream, within: &slice)
            budget = slice
            if !stream.backlog.isEmpty { wait(stream) }
        } else {
            stream.addToBacklog(bytes)
        }
    }

    func receiveEnd(_ streamID: Int32) throws(NGHTTP2Error) {
        guard let stream = streams[streamID] else { return }
        guard stream.backlog.isEmpty else { return stream.endIsWaiting = true }
        guard stream.call.receiveEnd() else { return }
        try perform(stream.handler.receiveEnd(), on: stream)
    }

    func offer(
        _ bytes: ByteBuffer, to stream: ServerStream, within budget: inout TurnBudget
    ) throws(NGHTTP2Error) {
        try perform(stream.offer(bytes, within: &budget), on: stream)
        if !stream.call.receive() { try session.creditStream(stream.id, stream.dropBacklog()) }
    }

    // MARK: What handlers want

    private func perform(_ reply: ServerReply, on stream: ServerStream) throws(NGHTTP2Error) {
        if reply.consumed > 0 { try session.creditStream(stream.id, reply.consumed) }
        if reply.decompressed > 0 { judgeDecompression(reply) }
        let output = stream.take(reply, headerLimit: Int(session.peerMaxHeaderListSize))
        if stream.owesClientProgress { mayOweProgress = true }
        switch output {
        case .nothing:
            break
        case .trailersOnly(let fields):
            try session.submitResponse(fields, body: nil, on: stream.id)
        case .withoutMessages(let headers, let trailers):
            try session.submitResponse(headers, trailers: trailers, on: stream.id)
        case .response(let headers?, _, _):
            try session.submitResponse(headers, body: stream, on: stream.id)
        case .response(nil, _, _):
            session.resume(stream.id)
        }
    }

    private func judgeDecompression(_ reply: ServerReply) {
        guard let now = context?.eventLoop.now else { return }
        let offence = frameBudget?.offence(decompressed: reply.decompressed, from: reply.consumed, at: now)
        if let offence { dismiss(for: offence) }
    }

    private func perform(late reply: ServerReply, on streamID: Int32) {
        if reply.end != nil { unfinished.remove(streamID) }
        guard let stream = streams[streamID] else {
            // What was decompressed counts, although its call is gone.
            return judgeDecompression(reply)
        }
        submitForLater { () throws(NGHTTP2Error) in try perform(reply, on: stream) }
    }

    private func startDeadline(_ timeout: Duration, of stream: ServerStream) throws(NGHTTP2Error) {
        guard timeout >= Self.shortestTimeout else { return try expire(stream) }
        stream.timer = context?.eventLoop.assumeIsolated().scheduleTask(
            in: .nanoseconds(timeout.wholeNanoseconds)
        ) { [weak self, weak stream] in
            guard let self, let stream else { return }
            self.submit { () throws(NGHTTP2Error) in try self.expire(stream) }
        }
    }

    private func expire(_ stream: ServerStream) throws(NGHTTP2Error) {
        guard let cancellation = stream.call.expire() else { return }
        try end(stream, cancellation)
    }

    /// Ends a call without its handler, which is told.
    func end(_ stream: ServerStream, _ status: GRPCStatus) throws(NGHTTP2Error) {
        guard stream.call.isOpen else { return }
        stream.handler.cancel(status)
        try perform(ServerReply(end: status), on: stream)
    }

    /// Resets a stream whose client goes on sending after the status.
    private func scheduleReset(of stream: ServerStream, _ code: HTTP2ErrorCode) {
        stream.timer?.cancel()
        stream.timer = context?.eventLoop.assumeIsolated().scheduleTask(in: Self.earlyEndLimit) {
            [weak self, id = stream.id] in
            self?.submit { () throws(NGHTTP2Error) in try self?.session.submitReset(code, on: id) }
        }
    }

    private func finish(_ streamID: Int32) {
        guard let stream = streams.removeValue(forKey: streamID) else { return }
        stream.closed()
        if streams.isEmpty, let context { lifetime?.endCalls(at: context.eventLoop.now) }
        guard let started = stream.started else { return }
        callLog.write(
            CallLog.Line(
                path: stream.path, status: stream.status ?? .ok, bytes: stream.bytesReceived,
                elapsed: NIODeadline.now() - started),
            of: peer, received: bytesRead)
    }

    // MARK: The connection itself

    override var hasCalls: Bool { !streams.isEmpty }
    /// A client begins, so that one that does not speak HTTP/2 can be answered in its own words.
    override var speaksFirst: Bool { false }

    /// While calls have not got to what has come, no more is read.
    override var hasBacklog: Bool { !backlogged.isEmpty }

    override var hasUnsentAnswers: Bool { mayOweProgress }

    override func hasRead(_ bytes: ByteBuffer) {
        resources?.buffers.giveBack(bytes)
    }

    override func willRead() {
        budget = resources?.turns.budgetForRead ?? TurnBudget(0)
    }

    override func writeBlocked() {
        if let now = context?.eventLoop.now { checkTime(by: now + stallCheckInterval) }
    }

    override func judge(at now: NIODeadline) throws(NGHTTP2Error) {
        try super.judge(at: now)
        noteHeaders(at: now)
    }

    override func checkTime(_ now: NIODeadline) -> NIODeadline? {
        [
            super.checkTime(now), checkHandshake(now), checkHeaders(now), checkStalls(now),
            checkLifetime(now),
        ].compactMap { $0 }.min()
    }

    private func receivePing() {
        guard let now = context?.eventLoop.now else { return }
        let hasSent = session.hasSentHeadersOrData
        session.hasSentHeadersOrData = false
        guard pingStrikes.ping(at: now, hasCalls: hasCalls, hasSent: hasSent) else { return }
        dismiss(for: .pings)
    }

    override func receiveForeign(_ bytes: ByteBuffer) {
        let beginning = InvalidPreface(bytes)
        dismiss(beginning, saying: beginning.answer)
    }

    override func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case Event.drain? = event as? Event { startDrain() }
        context.fireUserInboundEventTriggered(event)
    }
}
