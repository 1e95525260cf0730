internal import NIOCore

/// One call on a server's connection: its state, its handler, and what waits to be sent.
///
/// For the properties without a check for overlapping accesses, see `HTTP2Session`: what is said there holds here.
final class ServerStream: HTTP2Body {
    let id: Int32
    /// As the client wrote it.
    let path: String
    private let began: NIODeadline
    @safe @exclusivity(unchecked) var call = ServerCall()
    /// nil: the request was rejected, and what follows of it is discarded.
    let handler: (any ServerCallHandler)?
    /// When the stream is to be looked at: at its deadline; after an early status, when its client has gone on for too long.
    var wakeUp: NIODeadline?
    /// How the call ended.
    @safe @exclusivity(unchecked) private(set) var status: GRPCStatus?
    @safe @exclusivity(unchecked) var bytesReceived = 0
    @safe @exclusivity(unchecked) private(set) var bytesSent = 0
    /// Whether the client takes what waits for it.
    var stall = StallDetector()

    /// What has come and the handler has not got to in its turns.
    @safe @exclusivity(unchecked) private(set) var backlog = CircularBuffer<ByteBuffer>()
    /// Whether the client's end has come, behind the backlog.
    @safe @exclusivity(unchecked) var endIsWaiting = false

    @safe @exclusivity(unchecked) private var queue = CircularBuffer<ByteBuffer>()
    /// Bytes in the queue.
    @safe @exclusivity(unchecked) private var queued = 0
    @safe @exclusivity(unchecked) private var trailers: [HTTP2Field]?
    @safe @exclusivity(unchecked) private var hasSentTrailers = false

    /// Bytes that may wait for a client for as long as it likes, while the call goes on.
    private static let patience = 64 << 10
    /// Bytes of messages that are gathered in one buffer, which costs more than a small message.
    private static let gatheringLimit = 16 << 10

    /// How long the client has for ending its side when the status has come before. Not zero: HAProxy 2.6 turns our
    /// RST_STREAM(NO_ERROR) into CANCEL, for which grpcio forgets the status that it has just read
    /// (https://github.com/haproxy/haproxy/issues/1219).
    static let earlyEndLimit = TimeAmount.seconds(1)

    init(id: Int32, path: String, handler: (any ServerCallHandler)?, began: NIODeadline) {
        self.id = id
        self.began = began
        self.path = path
        self.handler = handler
    }

    /// What became of the call.
    func record(peer: Peer, now: NIODeadline, connectionBytes: Int) -> ServerCallRecord {
        ServerCallRecord(
            peer: peer, path: path, status: status ?? .ok,
            duration: .nanoseconds((now - began).nanoseconds), messages: handler?.messageCounts,
            bytesReceived: bytesReceived, bytesSent: bytesSent, connectionBytesReceived: connectionBytes)
    }

    /// Judges what the handler wants, and queues what is to be sent.
    ///
    /// - Parameter headerLimit: bytes of the longest header list that the client takes.
    /// - Returns: what the connection must tell the session.
    func take(_ reply: ServerReply, headerLimit: Int = .max) -> ServerCall.Output {
        var reply = reply
        if let refusal = call.refusal(of: reply, headerLimit: headerLimit) {
            if reply.end == nil { handler?.cancel(refusal) }
            reply = ServerReply(end: refusal)
        }
        let output = call.reply(reply, headerLimit: headerLimit)
        if case .nothing = output { return output }
        if let end = reply.end { status = end }
        if case .response(_, let messages, let trailers) = output {
            if messages.readableBytes > 0 { enqueue(messages) }
            self.trailers = trailers
        }
        return output
    }

    private func enqueue(_ messages: ByteBuffer) {
        queued += messages.readableBytes
        if let last = queue.indices.last,
            queue[last].readableBytes + messages.readableBytes <= Self.gatheringLimit
        {
            queue[last].writeImmutableBuffer(messages)
        } else {
            queue.append(messages)
        }
    }

    /// Whether the client must take something soon, lest the stream be given up: the rest of an answer, or much of one
    /// that goes on.
    var owesClientProgress: Bool {
        trailers != nil && !hasSentTrailers || queued > Self.patience
    }

    // MARK: What has come

    /// Lets the handler take from `bytes`; the rest waits for its next turn.
    func offer(_ bytes: ByteBuffer, within budget: inout TurnBudget) -> ServerReply {
        guard let handler else { return ServerReply(consumed: bytes.readableBytes) }
        var rest = bytes
        let reply = handler.receive(&rest, within: &budget)
        if rest.readableBytes > 0 { backlog.prepend(rest) }
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

    /// The stream is about to be reset by us, for a reason that its handler and the log learn.
    func abandon(_ reason: GRPCStatus) {
        guard call.closed() != nil else { return }
        status = reason
        handler?.cancel(reason)
    }

    /// The stream is gone; the handler learns of it unless it had ended the call.
    func closed() {
        if let cancellation = call.closed() {
            status = cancellation
            handler?.cancel(cancellation)
        }
    }

    func fill(_ frame: inout OutputRawSpan) -> HTTP2BodyState {
        let room = frame.freeCapacity
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
