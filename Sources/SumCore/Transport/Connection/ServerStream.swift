internal import DequeModule
internal import NIOCore

/// One call on a server's connection: its state, its handler, and its queued output.
///
/// For the properties without exclusivity checks, see `HTTP2Session`; the same reasons hold here.
final class ServerStream: HTTP2Body {
    let id: Int32
    /// Collects what observers want to know; nil if nobody observes the call.
    let observation: CallObservation?
    @safe @exclusivity(unchecked) var call = ServerCall()
    /// nil if the request was rejected, and the rest of it is discarded, or while the call is held.
    @safe @exclusivity(unchecked) private(set) var handler: (any ServerCallHandler)?
    /// Decides whether the call may be made; nil if that is decided. Until then the call is held: what arrives waits in
    /// the backlog.
    @safe @exclusivity(unchecked) private(set) var decision: Task<Void, Never>?
    /// Who it is counted for; nil if nobody counts.
    private(set) var caller: Caller?
    /// When to check the stream next: at its deadline, or, after an early status, when the client's time to end its
    /// side is over.
    var wakeUp: NIODeadline?
    /// How the call ended; nil if it has not, or with OK.
    @safe @exclusivity(unchecked) private(set) var status: GRPCStatus?
    @safe @exclusivity(unchecked) var bytesReceived = 0
    @safe @exclusivity(unchecked) private(set) var bytesSent = 0
    /// Whether the client takes the queued output.
    var stall = StallDetector()

    /// Input that the handler has not taken in its turns.
    @safe @exclusivity(unchecked) private(set) var backlog = Deque<ByteBuffer>()
    /// Whether the client's end has arrived behind the backlog.
    @safe @exclusivity(unchecked) var endIsWaiting = false

    @safe @exclusivity(unchecked) private var queue = Deque<ByteBuffer>()
    /// All output, if that is a short message. The queue is empty then.
    @safe @exclusivity(unchecked) private var short: ShortMessage?
    /// Bytes in the queue, or of the short message.
    @safe @exclusivity(unchecked) private var queued = 0
    @safe @exclusivity(unchecked) private var trailers: [HTTP2Field]?
    @safe @exclusivity(unchecked) private var hasSentTrailers = false

    /// Bytes that may wait for the client without a time limit while the call goes on.
    private static let patience = 64 << 10
    /// Bytes of messages to gather in one buffer. A buffer costs more than a small message.
    private static let gatheringLimit = 16 << 10

    /// How long the client has to end its side after an early status. Not zero: HAProxy 2.6 turns our
    /// RST_STREAM(NO_ERROR) into CANCEL, which makes grpcio forget the status that it has just read
    /// (https://github.com/haproxy/haproxy/issues/1219).
    static let earlyEndLimit = TimeAmount.seconds(1)

    init(
        id: Int32, handler: (any ServerCallHandler)?, caller: Caller? = nil, observation: CallObservation?
    ) {
        self.id = id
        self.caller = caller
        self.handler = handler
        self.observation = observation
        if let handler { observation?.begin(with: handler) }
    }

    /// The outcome of the call; nil if nobody observes it.
    func record(connectionBytes: Int, at now: NIODeadline) -> ServerCallRecord? {
        guard let observation else { return nil }
        if let handler { observation.progressed(handler) }
        return observation.record(
            status ?? .ok, counts: handler?.messageCounts, bytesReceived: bytesReceived, bytesSent: bytesSent,
            connectionBytes: connectionBytes, at: now)
    }

    /// Checks the handler's reply, and queues its output.
    ///
    /// - Parameter headerLimit: the maximum size, in bytes, of a header list that the client accepts.
    /// - Returns: what the connection must tell the session.
    func take(_ reply: ServerReply, headerLimit: Int = .max) -> ServerCall.Output {
        if let refusal = call.refusal(of: reply, headerLimit: headerLimit) {
            if reply.end == nil { handler?.cancel(refusal) }
            return take(checked: ServerReply(end: refusal), headerLimit)
        }
        return take(checked: reply, headerLimit)
    }

    private func take(checked reply: ServerReply, _ headerLimit: Int) -> ServerCall.Output {
        let output = call.reply(reply, headerLimit: headerLimit)
        if case .nothing = output { return output }
        if reply.endsCall, !reply.isPlain { status = reply.end }
        if case .response(_, let trailers) = output {
            if let observation, observation.findsMessages { observation.send(reply.messages) }
            enqueue(reply)
            self.trailers = trailers
        }
        return output
    }

    private func enqueue(_ reply: ServerReply) {
        queued += reply.messageBytes
        switch reply.content {
        case .nothing: break
        case .short(let message) where queued == message.byteCount: short = message
        case .short, .messages: enqueue(reply.messages)
        }
    }

    private func enqueue(_ messages: ByteBuffer) {
        lengthen()
        if let last = queue.indices.last,
            queue[last].readableBytes + messages.readableBytes <= Self.gatheringLimit
        {
            queue[last].writeImmutableBuffer(messages)
        } else {
            queue.append(messages)
        }
    }

    /// Puts the short message into the queue, since it is not the only one, or must be cut.
    private func lengthen() {
        guard let message = short else { return }
        short = nil
        queue.append(ByteBuffer(message))
    }

    /// Whether the client must take output soon to keep the stream: the rest of a finished response, or much of one
    /// that goes on.
    var owesClientProgress: Bool {
        trailers != nil && !hasSentTrailers || queued > Self.patience
    }

    // MARK: Calls that are held

    var isHeld: Bool { decision != nil }

    /// Holds the call until `decision` has ended.
    func hold(until decision: Task<Void, Never>) {
        self.decision = decision
    }

    /// The call may be made.
    func release(to handler: any ServerCallHandler, caller: Caller?) {
        decision = nil
        self.handler = handler
        self.caller = caller
        observation?.begin(with: handler)
    }

    /// The call ends without its handler, which is told, or before it had one.
    func cancel(_ reason: GRPCStatus) {
        handler?.cancel(reason)
        decision?.cancel()
        decision = nil
    }

    // MARK: What has come

    /// Lets the handler take from `bytes`. What it leaves waits for its next turn.
    func offer(_ bytes: ByteBuffer, within budget: inout TurnBudget) -> ServerReply {
        guard let handler else { return ServerReply(consumed: bytes.readableBytes) }
        var rest = bytes
        let reply = handler.receive(&rest, within: &budget)
        if rest.readableBytes > 0 { backlog.prepend(rest) }
        observation?.progressed(handler)
        return reply
    }

    func addToBacklog(_ bytes: ByteBuffer) {
        backlog.append(bytes)
    }

    /// Takes the first piece of the backlog.
    func takeBacklog() -> ByteBuffer? {
        backlog.popFirst()
    }

    /// Drops the backlog.
    ///
    /// - Returns: its bytes.
    func dropBacklog() -> Int {
        defer { backlog.removeAll() }
        return backlog.reduce(0) { $0 + $1.readableBytes }
    }

    /// Ends the call before we reset its stream; the handler and the log get the reason.
    func abandon(_ reason: GRPCStatus) {
        guard call.closed() != nil else { return }
        status = reason
        cancel(reason)
    }

    /// The stream is closed. The handler is told unless it had ended the call.
    func closed() {
        if let cancellation = call.closed() {
            status = cancellation
            cancel(cancellation)
        }
    }

    func fill(_ frame: inout OutputRawSpan) -> HTTP2BodyState {
        let room = frame.freeCapacity
        if let short, room >= ShortMessage.capacity {
            frame.append(short)
            self.short = nil
        } else {
            lengthen()
        }
        while frame.freeCapacity > 0, !queue.isEmpty {
            frame.append(moving: &queue[queue.startIndex])
            if queue[queue.startIndex].readableBytes == 0 { queue.removeFirst() }
        }
        let count = room - frame.freeCapacity
        bytesSent += count
        queued -= count
        handler?.sent(count)
        guard queue.isEmpty, let trailers else { return .open }
        hasSentTrailers = true
        return .finished(trailers: trailers)
    }
}
