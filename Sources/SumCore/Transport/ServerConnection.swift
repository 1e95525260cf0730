internal import Logging
internal import NIOCore

/// One accepted socket: its session and the calls on it.
final class ServerConnection: HTTP2Connection {
    /// Sent down the pipeline of every connection when the server shuts down.
    enum Event {
        case drain
    }

    private var requests: RequestReader
    private let logger: Logger
    private let logsCalls: Bool
    private let logsBeginnings: Bool
    private let offences: OffenceLog
    private var peer = "?"

    let configuration: GRPCServer.Configuration
    var handshake: Handshake?
    /// Since when a header block has been arriving.
    var headersSince: NIODeadline?
    var lifetime: ConnectionLifetime?
    /// Whether the client takes what it is sent.
    var stall = Stall()
    private var pingStrikes: PingStrikes

    private(set) var streams: [Int32: ServerStream] = [:]
    /// The calls whose answer has not left.
    private(set) var unsentAnswers = 0
    /// The calls whose handlers have not ended, though the stream may have.
    private var unfinished: Set<Int32> = []
    var drain = Drain.none

    /// How long the client has for ending its side when the status has come before. Not zero: HAProxy 2.6 makes
    /// RST_STREAM(CANCEL) of ours, for which grpcio forgets the status that it has just read
    /// (https://github.com/haproxy/haproxy/issues/1219).
    private static let earlyEndLimit = TimeAmount.seconds(1)
    /// A timeout below this is over before a timer could say so, though the whole call may have been read by then.
    private static let shortestTimeout = Duration.microseconds(1)

    init(
        methods: [String: GRPCMethod], configuration: GRPCServer.Configuration, logger: Logger,
        offences: OffenceLog
    ) throws(HTTP2Error) {
        requests = RequestReader(methods: methods)
        self.configuration = configuration
        self.logger = logger
        logsCalls = logger.logLevel <= .debug
        logsBeginnings = logger.logLevel <= .trace
        self.offences = offences
        pingStrikes = PingStrikes(
            minimumInterval: TimeAmount(configuration.minimumPingInterval),
            permitsWithoutCalls: configuration.permitsPingsWithoutCalls)
        var http2 = HTTP2Configuration()
        http2.maxConcurrentStreams = UInt32(clamping: configuration.maximumConcurrentStreams)
        http2.maxHeaderListSize = configuration.maximumHeaderListSize
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
        guard let now = context?.eventLoop.now else { return }
        handshake = Handshake(limit: TimeAmount(configuration.handshakeTimeout), now: now)
        budget = FrameBudget(
            overhead: configuration.maximumOverheadFrames,
            resets: max(configuration.maximumResets, configuration.maximumConcurrentStreams), now: now)
        keepalive = Keepalive(
            time: TimeAmount(configuration.keepaliveTime),
            timeout: TimeAmount(configuration.keepaliveTimeout),
            withoutCalls: true, now: now)
        lifetime = ConnectionLifetime(
            idle: configuration.maximumConnectionIdle.map(TimeAmount.init),
            age: configuration.maximumConnectionAge.map(TimeAmount.init),
            grace: configuration.maximumConnectionAgeGrace.map(TimeAmount.init), now: now)
    }

    override func handle(_ event: HTTP2Event) throws(HTTP2Error) {
        switch event {
        case .headers(let streamID, let fields, .request, let endStream):
            try begin(streamID, fields)
            if endStream { try receiveEnd(streamID) }
        case .headers(let streamID, _, _, endStream: true), .endStream(let streamID):
            try receiveEnd(streamID)
        case .data(let streamID, let bytes):
            try receive(bytes, on: streamID)
        case .endStreamSent(let streamID):
            guard let stream = streams[streamID] else { return }
            answerLeft(stream)
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
        case .headers, .notSent, .pingAcknowledged, .goAway, .dismissed:
            break
        }
    }

    override func closed() {
        if case .announced(_, let limit) = drain { limit.cancel() }
        switch failure {
        case let offence? where offence is PeerOffence || offence is HTTP2Error:
            offences.write(offence, of: peer, at: .now())
        case let failure?:
            logger.debug("connection failed", metadata: ["peer": "\(peer)", "error": "\(failure)"])
        case nil:
            break
        }
        for streamID in Array(streams.keys) { finish(streamID) }
    }

    // MARK: Calls

    private func begin(_ streamID: Int32, _ fields: [HTTP2Field]) throws(HTTP2Error) {
        // Handlers may go on for a while after their streams were reset (CVE-2023-44487).
        guard unfinished.count < configuration.maximumConcurrentStreams else {
            return try session.submitReset(.refusedStream, on: streamID)
        }
        let known: KnownRequest
        do throws(GRPCRequest.Rejection) {
            known = try requests.understand(fields)
        } catch {
            return try reject(error, path: fields.first(":path") ?? "", on: streamID)
        }
        let request = known.request
        guard let loop = context?.eventLoop else { return }
        let connection = NIOLoopBound(self, eventLoop: loop)
        let context = ServerCallContext(
            path: request.path, metadata: request.metadata, timeout: request.timeout, peer: peer,
            maximumMessageLength: configuration.maximumMessageLength, compression: request.compression,
            acceptEncoding: request.acceptEncoding,
            deadline: request.timeout.map { .now + $0 },
            post: { reply in loop.execute { connection.value.perform(late: reply(), on: streamID) } })
        let stream = ServerStream(
            id: streamID, path: request.path, handler: known.method.makeHandler(context),
            started: logsCalls ? .now() : nil)
        add(stream)
        if stream.handler is AsyncCallHandler { unfinished.insert(streamID) }
        if let timeout = request.timeout { try startDeadline(timeout, of: stream) }
        guard logsBeginnings else { return }
        logger.trace("call begins", metadata: ["peer": "\(peer)", "method": "\(request.path)"])
    }

    private func reject(
        _ rejection: GRPCRequest.Rejection, path: String, on streamID: Int32
    ) throws(HTTP2Error) {
        let stream = ServerStream(
            id: streamID, path: path, handler: RejectedCall(), started: logsCalls ? .now() : nil)
        _ = stream.take(ServerReply(end: rejection.status))
        add(stream)
        try session.submitResponse(ServerCall.rejection(rejection), body: nil, on: streamID)
    }

    private func add(_ stream: ServerStream) {
        streams[stream.id] = stream
        lifetime?.beginCalls()
    }

    private func receive(_ bytes: ByteBuffer, on streamID: Int32) throws(HTTP2Error) {
        // Credit on the connection does not wait for the handler, so that a slow call holds up no other.
        try session.creditConnection(bytes.readableBytes)
        guard let stream = streams[streamID] else { return }
        stream.bytesReceived += bytes.readableBytes
        if stream.call.receive() {
            try perform(stream.handler.receive(bytes), on: stream)
        } else {
            try session.creditStream(streamID, bytes.readableBytes)
        }
    }

    private func receiveEnd(_ streamID: Int32) throws(HTTP2Error) {
        guard let stream = streams[streamID], stream.call.receiveEnd() else { return }
        try perform(stream.handler.receiveEnd(), on: stream)
    }

    private func perform(_ reply: ServerReply, on stream: ServerStream) throws(HTTP2Error) {
        if reply.consumed > 0 { try session.creditStream(stream.id, reply.consumed) }
        let output = stream.take(reply)
        if case .response(_, _, _?) = output { unsentAnswers += 1 }
        switch output {
        case .nothing:
            break
        case .trailersOnly(let fields):
            try session.submitResponse(fields, body: nil, on: stream.id)
        case .response(let headers?, _, _):
            try session.submitResponse(headers, body: stream, on: stream.id)
        case .response(nil, _, _):
            session.resume(stream.id)
        }
    }

    private func perform(late reply: ServerReply, on streamID: Int32) {
        if reply.end != nil { unfinished.remove(streamID) }
        guard let stream = streams[streamID] else { return }
        submitForLater { () throws(HTTP2Error) in try perform(reply, on: stream) }
    }

    private func startDeadline(_ timeout: Duration, of stream: ServerStream) throws(HTTP2Error) {
        guard timeout >= Self.shortestTimeout else { return try expire(stream) }
        stream.timer = context?.eventLoop.assumeIsolated().scheduleTask(
            in: .nanoseconds(timeout.wholeNanoseconds)
        ) { [weak self, weak stream] in
            guard let self, let stream else { return }
            self.submit { () throws(HTTP2Error) in try self.expire(stream) }
        }
    }

    private func expire(_ stream: ServerStream) throws(HTTP2Error) {
        guard let cancellation = stream.call.expire() else { return }
        stream.handler.cancel(cancellation)
        try perform(ServerReply(end: cancellation), on: stream)
    }

    /// Resets a stream whose client goes on sending after the status.
    private func scheduleReset(of stream: ServerStream, _ code: HTTP2ErrorCode) {
        stream.timer?.cancel()
        stream.timer = context?.eventLoop.assumeIsolated().scheduleTask(in: Self.earlyEndLimit) {
            [weak self, id = stream.id] in
            self?.submit { () throws(HTTP2Error) in try self?.session.submitReset(code, on: id) }
        }
    }

    /// The answer of a call has left, or never will.
    private func answerLeft(_ stream: ServerStream) {
        guard stream.hasUnsentAnswer else { return }
        stream.hasUnsentAnswer = false
        unsentAnswers -= 1
    }

    private func finish(_ streamID: Int32) {
        guard let stream = streams.removeValue(forKey: streamID) else { return }
        answerLeft(stream)
        stream.closed()
        if streams.isEmpty, let context { lifetime?.endCalls(at: context.eventLoop.now) }
        guard let started = stream.started else { return }
        let elapsed = Double((NIODeadline.now() - started).nanoseconds) / 1e6
        logger.debug(
            "call",
            metadata: [
                "peer": "\(peer)", "method": "\(PeerText.printable(stream.path))",
                "status": "\(stream.status ?? .ok)", "bytes": "\(stream.bytesReceived)",
                "ms": "\((elapsed * 1000).rounded() / 1000)",
            ])
    }

    // MARK: The connection itself

    override var hasCalls: Bool { !streams.isEmpty }
    /// A client begins, so that one that does not speak HTTP/2 can be answered in its own words.
    override var speaksFirst: Bool { false }

    override var hasUnsentAnswers: Bool { unsentAnswers > 0 }

    override func isHeldUp() {
        if let now = context?.eventLoop.now { checkTime(by: now + stallCheckInterval) }
    }

    override func judge(at now: NIODeadline) throws(HTTP2Error) {
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
        let beginning = ForeignBytes(bytes)
        dismiss(beginning, saying: beginning.answer)
    }

    override func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case Event.drain? = event as? Event { startDrain() }
        context.fireUserInboundEventTriggered(event)
    }
}
