internal import NIOCore

/// One dialled socket: its session and the calls on it.
final class ClientConnection: HTTP2Connection {
    /// Succeeds when the server's SETTINGS are here, fails if they never come.
    let ready: EventLoopPromise<Void>
    private var isReady = false
    private var streams: [Int32: ClientStream] = [:]
    /// The last request, since the next is mostly the same.
    private var lastRequest: (request: GRPCRequest, fields: [HTTP2Field])?
    /// What the server said when it told us to go away.
    private var farewell: String?

    /// Whether the server has ended the connection because of our PINGs (grpc/proposal A8).
    private(set) var hasPingedTooOften = false

    /// Frames without data that the server may send at once; see `FrameBudget`.
    private static let maximumOverhead = 1000

    init(ready: EventLoopPromise<Void>, keepalive: Keepalive? = nil) throws(HTTP2Error) {
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
        frameBudget = FrameBudget(overhead: Self.maximumOverhead, resets: nil, now: now)
    }

    override func handle(_ event: HTTP2Event) throws(HTTP2Error) {
        switch event {
        case .settings:
            isReady = true
            ready.succeed()
        case .headers(let streamID, let fields, _, let endStream):
            guard let stream = streams[streamID] else { return }
            switch stream.call.receiveHeaders(fields, endStream: endStream) {
            case .nothing: break
            case .begin(let metadata, let compression):
                stream.handler.receiveHeaders(metadata, compression: compression)
            case .end(let callEnd): try end(stream, callEnd, resetWith: endStream ? .noError : .cancel)
            }
        case .data(let streamID, let bytes):
            try receive(bytes, on: streamID)
        case .endStream(let streamID):
            guard let stream = streams[streamID] else { return }
            if let callEnd = stream.call.receiveEnd() { try end(stream, callEnd, resetWith: .noError) }
        case .endStreamSent(let streamID):
            streams[streamID]?.hasSentEnd = true
        case .closed(let streamID, let code):
            closed(streamID, code)
        case .notSent(let streamID, let error):
            // The request has not left, so there is no stream to reset; that it is closed is told next.
            guard let stream = streams[streamID] else { return }
            let notSent = GRPCStatus(code: .unavailable, message: "the call could not be sent: \(error)")
            if let callEnd = stream.call.fail(notSent, reach: .client) { stream.handler.end(callEnd) }
        case .goAway(_, let code, let debug):
            hasPingedTooOften = code == .enhanceYourCalm && debug == PingStrikes.reason
            farewell = debug.isEmpty ? "\(code)" : "\(code), \(PeerText.printable(debug))"
        case .ping, .pingAcknowledged, .settingsAcknowledged, .dismissed:
            break
        }
    }

    private func receive(_ bytes: ByteBuffer, on streamID: Int32) throws(HTTP2Error) {
        try session.creditConnection(bytes.readableBytes)
        guard let stream = streams[streamID] else { return }
        guard stream.call.receive(bytes) else {
            return try session.creditStream(streamID, bytes.readableBytes)
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
    ) throws(HTTP2Error) {
        stream.deadline?.cancel()
        stream.handler.end(callEnd)
        if code != .noError || !stream.hasSentEnd {
            try session.submitReset(code, on: stream.id)
        }
    }

    override func closed() {
        let lost = GRPCStatus(code: .unavailable, message: "the connection was lost\(reasonSuffix)")
        for stream in streams.values {
            stream.deadline?.cancel()
            if let callEnd = stream.call.fail(lost) { stream.handler.end(callEnd) }
        }
        streams = [:]
        ready.fail(notReady)
    }

    private var reasonSuffix: String {
        if let farewell { return ": the server said \(farewell)" }
        if let failure { return ": \(failure)" }
        return ""
    }

    private var notReady: ConnectFailure {
        if let failure = failure as? ConnectFailure { return failure }
        guard session.wantsRead, !(failure is HTTP2Error) else {
            return ConnectFailure(description: "the server does not speak HTTP/2 without TLS")
        }
        return ConnectFailure(
            description: "the connection was closed before the server had said anything", isTemporary: true)
    }

    // MARK: Calls

    /// Begins a call. The deadline runs from now.
    ///
    /// - Returns: the stream, or nil when the call has ended before it began.
    func start(_ request: GRPCRequest, handler: any ClientCallHandler) -> ClientStream? {
        let timeout = request.timeout.map { TimeAmount.nanoseconds($0.wholeNanoseconds) }
        let expiry = timeout.map { NIODeadline.now() + $0 } ?? .distantFuture
        let stream = ClientStream(handler: handler, expiry: expiry)
        do throws(GRPCStatus) {
            stream.id = try submit(request, body: stream)
        } catch {
            let mayLeaveLater = error.code == .unavailable
            handler.end(ClientCallEnd(status: error, reach: mayLeaveLater ? .client : .application))
            return nil
        }
        streams[stream.id] = stream
        if let timeout {
            stream.deadline = context?.eventLoop.assumeIsolated().scheduleTask(in: timeout) {
                [weak self] in
                self?.cancel(stream, .deadlineExceeded)
            }
        }
        flushSoon()
        return stream
    }

    private func submit(_ request: GRPCRequest, body: ClientStream) throws(GRPCStatus) -> Int32 {
        guard context != nil, isReady else {
            throw GRPCStatus(code: .unavailable, message: "the connection was lost\(reasonSuffix)")
        }
        if let timeout = request.timeout, timeout <= .zero { throw .deadlineExceeded }
        let fields = fields(of: request)
        guard fields.listSize <= session.peerMaxHeaderListSize else {
            throw GRPCStatus(
                code: .internalError,
                message:
                    "the metadata is longer than the \(session.peerMaxHeaderListSize) bytes the server takes")
        }
        do {
            return try session.submitRequest(fields, body: body)
        } catch {
            throw GRPCStatus(code: .unavailable, message: "the call could not be sent: \(error)")
        }
    }

    private func fields(of request: GRPCRequest) -> [HTTP2Field] {
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
        submitForLater { () throws(HTTP2Error) in try session.creditStream(stream.id, count) }
    }

    func cancel(_ stream: ClientStream, _ status: GRPCStatus) {
        guard let callEnd = stream.call.fail(status) else { return }
        submit { () throws(HTTP2Error) in try end(stream, callEnd) }
    }

    /// Ends the connection; calls on it are cancelled.
    ///
    /// - Parameter limit: how long a server that has stopped reading may keep us from telling it so.
    func shutDown(within limit: TimeAmount) {
        context?.eventLoop.assumeIsolated().scheduleTask(in: limit) { [weak self] in
            self?.fail(ConnectFailure(description: "the server has stopped reading"))
        }
        for stream in Array(streams.values) {
            cancel(stream, GRPCStatus(code: .cancelled, message: "the client closed the connection"))
        }
        submit { () throws(HTTP2Error) in try session.submitGoAway() }
    }
}

/// Why a connection did not come to be.
struct ConnectFailure: Error, CustomStringConvertible {
    var description: String
    /// Whether a further attempt may succeed.
    var isTemporary = false
}
