internal import NIOCore

/// One call on a server's connection: its state, its handler, and what waits to be sent.
final class ServerStream: HTTP2Body {
    let id: Int32
    let path: String
    /// When the call began, if it is logged.
    let started: NIODeadline?
    var call = ServerCall()
    let handler: any ServerCallHandler
    /// The deadline; after the status, the time that the client has for ending its side.
    var timer: Scheduled<Void>?
    /// How the call ended, for the log.
    private(set) var status: GRPCStatus?
    var bytesReceived = 0
    private(set) var bytesSent = 0
    /// Whether the call has ended, and its answer has not left.
    var hasUnsentAnswer = false
    /// Whether the client takes it.
    var stall = Stall()

    private var queue = CircularBuffer<ByteBuffer>()
    private var trailers: [HTTP2Field]?

    init(id: Int32, path: String, handler: any ServerCallHandler, started: NIODeadline? = nil) {
        self.id = id
        self.started = started
        self.path = path
        self.handler = handler
    }

    /// Judges what the handler wants, and queues what is to be sent.
    ///
    /// - Returns: what the connection must tell the session.
    func take(_ reply: ServerReply) -> ServerCall.Output {
        let output = call.reply(reply)
        if case .nothing = output { return output }
        if let end = reply.end { status = end }
        if case .response(_, let messages, let trailers) = output {
            if messages.readableBytes > 0 { queue.append(messages) }
            self.trailers = trailers
            hasUnsentAnswer = trailers != nil
        }
        return output
    }

    /// The stream is gone; the handler learns of it unless it had ended the call.
    func closed() {
        timer?.cancel()
        if let cancellation = call.closed() {
            status = cancellation
            handler.cancel(cancellation)
        }
    }

    func fill(_ frame: inout OutputRawSpan) -> HTTP2BodyState {
        let room = frame.freeCapacity
        while frame.freeCapacity > 0, !queue.isEmpty {
            frame.append(moving: &queue[queue.startIndex])
            if queue[queue.startIndex].readableBytes == 0 { queue.removeFirst() }
        }
        bytesSent += room - frame.freeCapacity
        handler.sent(room - frame.freeCapacity)
        if queue.isEmpty, let trailers { return .finished(trailers: trailers) }
        return .open
    }
}
