internal import Logging
internal import NIOCore

/// One accepted socket: its session and the calls on it.
final class ServerConnection: HTTP2Connection {
    /// Sent down the pipeline of every connection when the server shuts down.
    enum Event {
        case drain
    }

    private let methods: [String: GRPCMethod]
    private let maximumMessageLength: Int
    private let logger: Logger
    private let logsCalls: Bool
    private var peer = "?"

    private let handshakeTimeout: TimeAmount
    /// Closes a connection whose client does not begin.
    private var handshake: Scheduled<Void>?

    private var streams: [Int32: ServerStream] = [:]
    private var drain = Drain.none

    /// The two steps of a graceful end (RFC 9113 section 6.8): first a GOAWAY that refuses nothing, and, when
    /// a PING has shown that the client has seen it, one that names the last stream served.
    private enum Drain {
        case none
        case announced(Scheduled<Void>)
        case refusing
    }

    /// How long the client has for answering the PING.
    private static let drainPingLimit = TimeAmount.seconds(1)
    private static let drainPing: UInt64 = 0x7375_6d20_6472_6169

    init(methods: [String: GRPCMethod], configuration: GRPCServer.Configuration, logger: Logger)
        throws(HTTP2Error)
    {
        self.methods = methods
        self.maximumMessageLength = configuration.maximumMessageLength
        self.logger = logger
        handshakeTimeout = .nanoseconds(configuration.handshakeTimeout.wholeNanoseconds)
        logsCalls = logger.logLevel <= .debug
        var http2 = HTTP2Configuration()
        http2.maxConcurrentStreams = UInt32(clamping: configuration.maximumConcurrentStreams)
        super.init(session: try HTTP2Session(role: .server, configuration: http2))
    }

    override func opened() {
        peer = context?.remoteAddress.map(ListenAddress.describe) ?? "?"
        handshake = context?.eventLoop.assumeIsolated().scheduleTask(in: handshakeTimeout) { [weak self] in
            self?.fail(HandshakeTimeout())
        }
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
            if let code = streams[streamID]?.call.endStreamSent() {
                try session.submitReset(code, on: streamID)
            }
        case .closed(let streamID, _):
            finish(streamID)
        case .pingAcknowledged(Self.drainPing):
            try refuseNewStreams()
        case .settings:
            handshake?.cancel()
            handshake = nil
        case .headers, .notSent, .pingAcknowledged, .goAway:
            break
        }
    }

    override func closed() {
        handshake?.cancel()
        if case .announced(let limit) = drain { limit.cancel() }
        if let failure {
            logger.debug("connection failed", metadata: ["peer": "\(peer)", "error": "\(failure)"])
        }
        for streamID in Array(streams.keys) { finish(streamID) }
    }

    // MARK: Calls

    private func begin(_ streamID: Int32, _ fields: [HTTP2Field]) throws(HTTP2Error) {
        let request: GRPCRequest
        let method: GRPCMethod
        do throws(GRPCRequest.Rejection) {
            request = try GRPCRequest(received: fields)
            guard let found = methods[request.path] else {
                throw GRPCRequest.Rejection(
                    .unimplemented, "there is no method '\(PeerText.printable(request.path))' here")
            }
            method = found
        } catch {
            return try reject(error, path: fields.first(":path") ?? "", on: streamID)
        }
        guard let loop = context?.eventLoop else { return }
        let connection = NIOLoopBound(self, eventLoop: loop)
        let context = ServerCallContext(
            path: request.path, metadata: request.metadata, timeout: request.timeout, peer: peer,
            maximumMessageLength: maximumMessageLength, compression: request.compression,
            acceptedCompressions: request.acceptedCompressions,
            post: { reply in loop.execute { connection.value.perform(late: reply(), on: streamID) } })
        let stream = ServerStream(id: streamID, path: request.path, handler: method.makeHandler(context))
        streams[streamID] = stream
        if let timeout = request.timeout { startDeadline(timeout, of: stream) }
    }

    private func reject(
        _ rejection: GRPCRequest.Rejection, path: String, on streamID: Int32
    ) throws(HTTP2Error) {
        let stream = ServerStream(id: streamID, path: path, handler: RejectedCall())
        _ = stream.take(ServerReply(end: rejection.status))
        streams[streamID] = stream
        try session.submitResponse(ServerCall.rejection(rejection), body: nil, on: streamID)
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
        submit { () throws(HTTP2Error) in try perform(reply, on: stream) }
    }

    private func startDeadline(_ timeout: Duration, of stream: ServerStream) {
        stream.deadline = context?.eventLoop.assumeIsolated().scheduleTask(
            in: .nanoseconds(timeout.wholeNanoseconds)
        ) { [weak self, weak stream] in
            guard let self, let stream, let cancellation = stream.call.expire() else { return }
            stream.handler.cancel(cancellation)
            self.submit { () throws(HTTP2Error) in
                try self.perform(ServerReply(end: cancellation), on: stream)
            }
        }
    }

    private func finish(_ streamID: Int32) {
        guard let stream = streams.removeValue(forKey: streamID) else { return }
        stream.closed()
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

    // MARK: Drain

    override func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case Event.drain? = event as? Event { startDrain(context) }
        context.fireUserInboundEventTriggered(event)
    }

    private func startDrain(_ context: ChannelHandlerContext) {
        guard case .none = drain else { return }
        let limit = context.eventLoop.assumeIsolated().scheduleTask(in: Self.drainPingLimit) { [weak self] in
            guard let self else { return }
            self.submit { () throws(HTTP2Error) in try self.refuseNewStreams() }
        }
        drain = .announced(limit)
        // Apart, since nghttp2 sends a PING before other frames that wait with it.
        submit { () throws(HTTP2Error) in try session.submitShutdownNotice() }
        submit { () throws(HTTP2Error) in try session.submitPing(payload: Self.drainPing) }
    }

    private func refuseNewStreams() throws(HTTP2Error) {
        guard case .announced(let limit) = drain else { return }
        limit.cancel()
        drain = .refusing
        try session.submitGoAway()
    }
}

/// The client connected, and did not begin HTTP/2 in time.
private struct HandshakeTimeout: Error, CustomStringConvertible {
    let description = "the client did not begin HTTP/2 in time"
}

/// Stands where a handler would for a request that did not become a call.
private final class RejectedCall: ServerCallHandler {
    func receive(_ bytes: ByteBuffer) -> ServerReply { ServerReply(consumed: bytes.readableBytes) }
    func receiveEnd() -> ServerReply { ServerReply() }
    func cancel(_ reason: GRPCStatus) {}
}
