internal import NIOCore

/// The server's end of a connection: its session, its limits and its calls.
///
/// For the properties without exclusivity checks, see `HTTP2Session`; the same reasons hold here.
final class ServerConnection: Connection {
    let core: ConnectionCore
    let limits: ServerLimits
    private let observers: [any ServerObserver]

    /// Counts the calls of callers over all connections; nil if nobody is limited.
    let callCounter: CallCounter?

    @safe @exclusivity(unchecked) private(set) var peer = Peer(address: "")
    /// Runs an action on this connection. May be called from any thread.
    private(set) var run: @Sendable (@escaping @Sendable (ServerConnection) -> Void) -> Void = { _ in }
    /// The observers of this connection; usually at most one.
    @safe @exclusivity(unchecked) private(set) var connectionObservers: [any ServerConnectionObserver] = []
    /// Those observers that are told of calls.
    @safe @exclusivity(unchecked) private var callObservers: [any ServerConnectionObserver] = []
    /// Those among them that are told of messages.
    @safe @exclusivity(unchecked) private var messageObservers: [any ServerConnectionObserver] = []
    /// The time just now, which may be later than that of the input; nil for the latter.
    private var clock: (@Sendable () -> NIODeadline)?
    private var openedAt = NIODeadline.distantPast
    @safe @exclusivity(unchecked) private var callCount = 0

    // MARK: Limits

    var preface: PrefaceTimeout?
    /// When the header block that is arriving began; nil if there is none.
    @safe @exclusivity(unchecked) var headersSince: NIODeadline?
    @safe @exclusivity(unchecked) var lifetime: ConnectionLifetime?
    /// Whether the client takes what we send.
    var stall = StallDetector()
    private var pingStrikes: PingStrikes
    var drainState = Drain.none
    /// Calls in a row that were refused because of their caller.
    @safe @exclusivity(unchecked) var refusalsInARow = 0

    // MARK: Calls

    @safe @exclusivity(unchecked) var router: RequestRouter
    @safe @exclusivity(unchecked) private(set) var streams = StreamTable<ServerStream>()
    /// When to check streams: at their deadlines, and for clients that go on after the status.
    private var deadlines = DeadlineQueue()
    /// Whether some stream's client may have to take output soon (`ServerStream.owesClientProgress`).
    @safe @exclusivity(unchecked) var mayOweProgress = false
    /// Calls whose handlers have not ended, even if their streams have.
    @safe @exclusivity(unchecked) var unfinished: Set<Int32> = []
    /// The memory held by all calls together.
    let memory = CallMemory()
    /// The budget for slow work in the current read.
    @safe @exclusivity(unchecked) var budget = TurnBudget(0)
    /// Streams with a backlog, in the order of their turns.
    var backlogged = CircularBuffer<Int32>()

    static let writeSize = 256 << 10
    /// The client begins, so that one that does not speak HTTP/2 can get a response in its own protocol.
    static let speaksFirst = false

    init(
        methods: [String: GRPCMethod], limits: ServerLimits,
        observers: [any ServerObserver] = [], callCounter: CallCounter? = nil,
        memory: SessionMemory = SessionMemory()
    ) throws(NGHTTP2Error) {
        self.callCounter = callCounter
        router = RequestRouter(methods: methods)
        self.limits = limits
        self.observers = observers
        pingStrikes = PingStrikes(
            minInterval: TimeAmount(limits.minPingInterval),
            permitsWithoutCalls: limits.permitsPingsWithoutCalls)
        var http2 = HTTP2Configuration()
        http2.maxConcurrentStreams = UInt32(clamping: limits.maxConcurrentStreams)
        http2.maxHeaderListSize = limits.maxHeaderListSize
        core = try ConnectionCore(role: .server, configuration: http2, memory: memory)
    }

    /// Whether frames can be exchanged: the socket is connected, and TLS is ready if it is used.
    var isOpened: Bool { preface != nil }
    var hasCalls: Bool { !streams.isEmpty }
    /// Nothing more is read while handlers have not taken what has arrived.
    var hasBacklog: Bool { !backlogged.isEmpty }

    /// After a drain, the client closes first, so that it has read everything. TCP drops data that has arrived but is
    /// unread if the other side closes while bytes come in, and HAProxy 2.6 drops trailers that it reads together with
    /// the close.
    var orderlyEnding: Ending {
        .afterFlush(linger: drainState.hasBegun ? .seconds(1) : .zero, limit: Ending.orderlyLimit)
    }

    func opened(_ transport: Transport<ServerConnection>) {
        let now = core.now
        run = transport.run
        peer = transport.peer
        openedAt = transport.connectedAt ?? now
        connectionObservers = observers.compactMap { $0.connectionOpened(peer) }
        callObservers = connectionObservers.filter(\.observesCalls)
        messageObservers = callObservers.filter(\.observesMessages)
        clock = transport.clock
        preface = PrefaceTimeout(limit: TimeAmount(limits.handshakeTimeout), now: openedAt)
        core.frameBudget = FrameBudget(
            overhead: limits.maxOverheadFrames,
            resets: max(limits.maxResets, limits.maxConcurrentStreams),
            decompressionExcess: limits.maxDecompressionExcess, now: now)
        core.keepalive = Keepalive(
            time: TimeAmount(limits.keepaliveTime),
            timeout: TimeAmount(limits.keepaliveTimeout),
            withoutCalls: true, now: now)
        lifetime = ConnectionLifetime(
            idle: limits.maxConnectionIdle.map(TimeAmount.init),
            age: limits.maxConnectionAge.map(TimeAmount.init),
            grace: limits.maxConnectionAgeGrace.map(TimeAmount.init), now: now)
    }

    func handle(_ event: consuming HTTP2Event) throws(NGHTTP2Error) {
        switch consume event {
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
            stream.observation?.wasAnswered = true
            guard stream.call.endStreamSent() != nil else { return }
            wake(stream, at: core.now + ServerStream.earlyEndLimit)
        case .closed(let streamID, _):
            finish(streamID)
        case .pingAcknowledged(Self.drainPing):
            try refuseNewStreams()
        case .ping:
            receivePing()
        case .settings:
            preface?.receivedSettings(at: core.now)
        case .settingsAcknowledged:
            preface?.receivedAcknowledgement()
        case .goAway(_, let code, let debug):
            // A client that goes away opens no more streams; open streams go on (RFC 9113 section 6.8).
            for observer in connectionObservers {
                observer.clientGoesAway("\(code)", debug: debug.escapedForDisplay)
            }
        case .goAwaySent(let code, let debug):
            core.goAwaySent(code, debug)
        case .headers, .pingAcknowledged:
            break
        case .requestSent, .responseBegun, .notSent:
            // These events occur only in a client's session.
            break
        }
    }

    func willRead(_ budget: TurnBudget) {
        self.budget = budget
    }

    func judgeInput() {
        noteHeaders()
    }

    private func receivePing() {
        let hasSent = core.session.hasSentHeadersOrData
        core.session.hasSentHeadersOrData = false
        guard pingStrikes.ping(at: core.now, hasCalls: hasCalls, hasSent: hasSent) else { return }
        core.terminate(.pings)
    }

    func receiveInvalidPreface(_ bytes: ByteBuffer) {
        let preface = InvalidPreface(bytes)
        core.end(.afterWriting(preface.answer, limit: .seconds(1)), .invalidPreface(preface))
    }

    func closed() {
        core.close()
        // The transport's closure must not keep us alive.
        run = { _ in }
        router.forgetLastRequest()
        if let reason = core.closeReason {
            let failure = ServerConnectionFailure(
                description: reason.description, exceededLimit: reason.exceededLimit,
                offence: reason.offence, isClientsFault: reason.isPeersFault)
            for observer in connectionObservers { observer.failed(failure) }
        }
        for streamID in streams.streamIDs { finish(streamID) }
        guard !connectionObservers.isEmpty else { return }
        let record = ServerConnectionRecord(
            peer: peer, duration: Duration.nanoseconds((core.now - openedAt).nanoseconds), calls: callCount,
            bytesReceived: core.bytesRead, bytesSent: core.bytesWritten)
        for observer in connectionObservers { observer.closed(record) }
        connectionObservers = []
    }

    // MARK: Streams

    func add(_ stream: ServerStream) {
        streams[stream.id] = stream
        callCount += 1
        lifetime?.beginCalls()
    }

    /// Tells the observers of calls that one begins.
    ///
    /// - Returns: nil if there are none.
    func observe(_ start: @autoclosure () -> ServerCallStart) -> CallObservation? {
        guard !callObservers.isEmpty else { return nil }
        let start = start()
        var observers: [any ServerCallObserver] = []
        for observer in callObservers {
            if let call = observer.callBegan(start) { observers.append(call) }
        }
        return CallObservation(
            start, began: core.now, observers: observers, messageObservers: messageObservers)
    }

    /// The time just now, for observers: a call may begin and end within what was read at once.
    var preciseNow: NIODeadline { clock?() ?? core.now }

    private func finish(_ streamID: Int32) {
        guard let stream = streams.remove(streamID) else { return }
        stream.closed()
        if let caller = stream.caller { callCounter?.end(caller) }
        if streams.isEmpty { lifetime?.endCalls(at: core.now) }
        guard let record = stream.record(connectionBytes: core.bytesRead, at: core.now) else { return }
        for observer in callObservers { observer.callEnded(record) }
        stream.observation?.end(record)
    }

    func keepaliveSent() {
        for observer in connectionObservers { observer.keepaliveSent() }
    }

    /// Tells the observers why a stream is reset; RST_STREAM cannot tell the client.
    func noteReset(_ reason: String) {
        for observer in connectionObservers { observer.requestRefused(reason) }
    }

    /// Schedules a check of a stream, replacing the one before.
    func wake(_ stream: ServerStream, at moment: NIODeadline) {
        stream.wakeUp = moment
        core.tick(by: moment)
        deadlines.add(moment, of: stream.id, streamCount: streams.count) { streams[$0]?.wakeUp == $1 }
    }

    /// Ends calls whose deadline has passed, and resets streams of clients that go on after the status.
    func checkDeadlines() -> NIODeadline? {
        while let (streamID, moment) = deadlines.popFirst(at: core.now) {
            guard let stream = streams[streamID], stream.wakeUp == moment else { continue }
            stream.wakeUp = nil
            attempt { () throws(NGHTTP2Error) in
                if stream.call.isOpen {
                    try end(stream, .deadlineExceeded)
                } else {
                    try core.session.submitReset(.noError, on: streamID)
                }
            }
        }
        return deadlines.next
    }
}
