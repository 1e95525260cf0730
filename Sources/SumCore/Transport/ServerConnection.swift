internal import Logging
internal import NIOCore

/// One accepted socket: its session and the calls on it.
final class ServerConnection: HTTP2Connection {
    /// Sent down the pipeline of every connection when the server shuts down.
    enum Event {
        case drain
    }

    private let methods: [String: GRPCMethod]
    private let logger: Logger
    private let logsCalls: Bool
    private var peer = "?"

    private let configuration: GRPCServer.Configuration
    /// When a client that has not begun HTTP/2 is given up; nil once it has.
    private var handshakeEnd: NIODeadline?
    private var lifetime: ConnectionLifetime?
    private var pingStrikes: PingStrikes

    private var streams: [Int32: ServerStream] = [:]
    /// The last request, since the next is mostly the same.
    private var lastRequest: KnownRequest?
    var drain = Drain.none

    /// How long the client has for ending its side when the status has come before. Not zero: HAProxy 2.6 makes
    /// RST_STREAM(CANCEL) of ours, for which grpcio forgets the status that it has just read
    /// (https://github.com/haproxy/haproxy/issues/1219).
    private static let earlyEndLimit = TimeAmount.seconds(1)

    init(methods: [String: GRPCMethod], configuration: GRPCServer.Configuration, logger: Logger)
        throws(HTTP2Error)
    {
        self.methods = methods
        self.configuration = configuration
        self.logger = logger
        logsCalls = logger.logLevel <= .debug
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
        handshakeEnd = now + TimeAmount(configuration.handshakeTimeout)
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
            if let stream = streams[streamID], let code = stream.call.endStreamSent() {
                scheduleReset(of: stream, code)
            }
        case .closed(let streamID, _):
            finish(streamID)
        case .pingAcknowledged(Self.drainPing):
            try refuseNewStreams()
        case .ping:
            try receivePing()
        case .settings:
            handshakeEnd = nil
        case .headers, .notSent, .pingAcknowledged, .goAway:
            break
        }
    }

    override func closed() {
        if case .announced(_, let limit) = drain { limit.cancel() }
        if let failure {
            logger.debug("connection failed", metadata: ["peer": "\(peer)", "error": "\(failure)"])
        }
        for streamID in Array(streams.keys) { finish(streamID) }
    }

    // MARK: Calls

    private func begin(_ streamID: Int32, _ fields: [HTTP2Field]) throws(HTTP2Error) {
        let known: KnownRequest
        do throws(GRPCRequest.Rejection) {
            known = try understand(fields)
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
            id: streamID, path: request.path, handler: known.method.makeHandler(context))
        add(stream)
        if let timeout = request.timeout { startDeadline(timeout, of: stream) }
    }

    private func understand(_ fields: [HTTP2Field]) throws(GRPCRequest.Rejection) -> KnownRequest {
        if let lastRequest, lastRequest.fields == fields { return lastRequest }
        let request = try GRPCRequest(received: fields)
        guard let method = methods[request.path] else {
            throw GRPCRequest.Rejection(
                .unimplemented, "there is no method '\(PeerText.printable(request.path))' here")
        }
        let known = KnownRequest(fields: fields, request: request, method: method)
        lastRequest = known
        return known
    }

    private func reject(
        _ rejection: GRPCRequest.Rejection, path: String, on streamID: Int32
    ) throws(HTTP2Error) {
        let stream = ServerStream(id: streamID, path: path, handler: RejectedCall())
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
        switch stream.take(reply) {
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
        guard let stream = streams[streamID] else { return }
        submitForLater { () throws(HTTP2Error) in try perform(reply, on: stream) }
    }

    private func startDeadline(_ timeout: Duration, of stream: ServerStream) {
        stream.timer = context?.eventLoop.assumeIsolated().scheduleTask(
            in: .nanoseconds(timeout.wholeNanoseconds)
        ) { [weak self, weak stream] in
            guard let self, let stream, let cancellation = stream.call.expire() else { return }
            stream.handler.cancel(cancellation)
            self.submit { () throws(HTTP2Error) in
                try self.perform(ServerReply(end: cancellation), on: stream)
            }
        }
    }

    /// Resets a stream whose client goes on sending after the status.
    private func scheduleReset(of stream: ServerStream, _ code: HTTP2ErrorCode) {
        stream.timer?.cancel()
        stream.timer = context?.eventLoop.assumeIsolated().scheduleTask(in: Self.earlyEndLimit) {
            [weak self, id = stream.id] in
            self?.submit { () throws(HTTP2Error) in try self?.session.submitReset(code, on: id) }
        }
    }

    private func finish(_ streamID: Int32) {
        guard let stream = streams.removeValue(forKey: streamID) else { return }
        stream.closed()
        if streams.isEmpty, let context { lifetime?.endCalls(at: context.eventLoop.now) }
        guard logsCalls else { return }
        let elapsed = Double((NIODeadline.now() - stream.started).nanoseconds) / 1e6
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

    override func checkTime(_ now: NIODeadline) -> NIODeadline? {
        if let handshakeEnd, now >= handshakeEnd {
            fail(HandshakeTimeout())
            return nil
        }
        var next = [handshakeEnd, super.checkTime(now)]
        switch lifetime?.verdict(at: now) {
        case .wait(let end):
            next.append(end)
        case .drain(let reason, let end):
            startDrain(reason)
            next.append(end)
        case .close:
            fail(ConnectionTooOld())
        case nil:
            break
        }
        return next.compactMap { $0 }.min()
    }

    private func receivePing() throws(HTTP2Error) {
        guard let now = context?.eventLoop.now else { return }
        let hasSent = session.hasSentHeadersOrData
        session.hasSentHeadersOrData = false
        guard pingStrikes.ping(at: now, hasCalls: hasCalls, hasSent: hasSent) else { return }
        try session.submitGoAway(.enhanceYourCalm, debug: PingStrikes.reason)
        flush()
        dismiss(TooManyPings())
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

/// The client connected, and did not begin HTTP/2 in time.
private struct HandshakeTimeout: Error, CustomStringConvertible {
    let description = "the client did not begin HTTP/2 in time"
}

/// The client's calls were not over when the grace for a connection of its age was.
private struct ConnectionTooOld: Error, CustomStringConvertible {
    let description = "the connection reached its greatest age, and its calls did not end in time"
}

private struct TooManyPings: Error, CustomStringConvertible {
    let description = "the client sent too many PINGs"
}

/// A header list that became a call, and what it means.
private struct KnownRequest {
    var fields: [HTTP2Field]
    var request: GRPCRequest
    var method: GRPCMethod
}

/// Stands where a handler would for a request that did not become a call.
private final class RejectedCall: ServerCallHandler {
    func receive(_ bytes: ByteBuffer) -> ServerReply { ServerReply(consumed: bytes.readableBytes) }
    func receiveEnd() -> ServerReply { ServerReply() }
    func cancel(_ reason: GRPCStatus) {}
}
