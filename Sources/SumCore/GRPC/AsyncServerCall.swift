internal import NIOCore
internal import Synchronization

/// One call on the server for a handler that is written with async/await.
///
/// The client gets credit for a message when the handler takes it, and a handler that sends waits while much
/// is still to be passed on: so neither side fills the server's memory.
public final class AsyncServerCall: Sendable {
    /// What the client said when it began the call.
    public let context: ServerCallContext

    /// Bytes that may wait to be passed on before `send` does.
    private static let unsentLimit = 256 << 10

    private struct State {
        /// Messages that have come and were not taken yet.
        var inbox = CircularBuffer<ByteBuffer>()
        var inboxIsComplete = false
        /// Why there is nothing more to take or send.
        var end: GRPCStatus?
        var unsent = 0
        /// What the event loop has been asked to fetch; replies that follow each other quickly go as one.
        var outgoing: ServerReply?
        var metadata = GRPCMetadata()
        var trailers = GRPCMetadata()
        /// Who waits for a message, for room, or for the end; each looks again when woken.
        var waiters: [CheckedContinuation<Void, Never>] = []

        mutating func takeWaiters() -> [CheckedContinuation<Void, Never>] {
            defer { waiters = [] }
            return waiters
        }
    }

    private let state = Mutex(State())
    /// Apart from the rest, so that the event loop never waits for the compressing of a message.
    private let writer: Mutex<MessageWriter>

    init(context: ServerCallContext) {
        self.context = context
        writer = Mutex(MessageWriter(compression: context.responseCompression))
    }

    /// Chooses how to compress the responses, before the first of them; without it, as the request is. Ignored
    /// when the client cannot decompress it.
    public func setCompression(_ compression: GRPCCompression) {
        guard context.accepts(compression) else { return }
        writer.withLock { $0 = MessageWriter(compression: compression) }
    }

    /// Sets what travels in front of the first response; later it is too late, and ignored.
    public func setResponseMetadata(_ metadata: GRPCMetadata) {
        state.withLock { $0.metadata = metadata }
    }

    /// Sets what travels with the status.
    public func setTrailers(_ trailers: GRPCMetadata) {
        state.withLock { $0.trailers = trailers }
    }

    // MARK: For the handler

    /// The next message of the request; nil after the last.
    ///
    /// - Throws: the status with which the call has ended otherwise.
    func next() async throws(GRPCStatus) -> ByteBuffer? {
        while true {
            let message = try state.withLock { state throws(GRPCStatus) -> ByteBuffer? in
                if let end = state.end { throw end }
                return state.inbox.popFirst()
            }
            if let message {
                post { $0.consumed += MessageReader.prefixLength + message.readableBytes }
                return message
            }
            if await wait(while: { $0.inbox.isEmpty && !$0.inboxIsComplete && $0.end == nil }) { continue }
            if state.withLock({ $0.inbox.isEmpty && $0.inboxIsComplete && $0.end == nil }) { return nil }
        }
    }

    /// Sends one message.
    ///
    /// - Throws: the status with which the call has ended, if it has.
    func send(_ message: [UInt8], compressed: Bool = true) async throws(GRPCStatus) {
        let framed = try writer.withLock { writer throws(GRPCStatus) in
            var framed = ByteBuffer()
            try writer.write(message, compressed: compressed, to: &framed)
            return framed
        }
        try state.withLock { state throws(GRPCStatus) in
            if let end = state.end { throw end }
            state.unsent += framed.readableBytes
        }
        post { $0.messages.writeImmutableBuffer(framed) }
        while await wait(while: { $0.unsent > Self.unsentLimit && $0.end == nil }) {}
    }

    /// Waits until something has changed, if `condition` holds now.
    ///
    /// - Returns: whether it waited.
    private func wait(while condition: (borrowing State) -> Bool) async -> Bool {
        var waited = false
        await withCheckedContinuation { continuation in
            waited = state.withLock { state in
                guard condition(state) else { return false }
                state.waiters.append(continuation)
                return true
            }
            if !waited { continuation.resume() }
        }
        return waited
    }

    func complete(_ status: GRPCStatus) {
        post { $0.end = status }
    }

    private func post(_ change: (inout ServerReply) -> Void) {
        let isFirst = state.withLock { state in
            let isFirst = state.outgoing == nil
            var reply = state.outgoing.take() ?? ServerReply()
            change(&reply)
            state.outgoing = reply
            return isFirst
        }
        if isFirst { context.post { self.takeOutgoing() } }
    }

    private func takeOutgoing() -> ServerReply {
        let compression = writer.withLock { $0.compression }
        return state.withLock { state in
            var reply = state.outgoing.take() ?? ServerReply()
            (reply.metadata, reply.trailers) = (state.metadata, state.trailers)
            reply.compression = compression
            return reply
        }
    }

    // MARK: For the event loop

    private func change(_ body: (inout State) -> Void) {
        let waiters = state.withLock { state in
            body(&state)
            return state.takeWaiters()
        }
        for waiter in waiters { waiter.resume() }
    }

    func push(_ messages: [ByteBuffer]) {
        change { $0.inbox.append(contentsOf: messages) }
    }

    func completeInbox() {
        change { $0.inboxIsComplete = true }
    }

    func end(_ status: GRPCStatus) {
        change { state in
            state.end = status
            state.inbox.removeAll()
        }
    }

    func sent(_ byteCount: Int) {
        change { $0.unsent -= byteCount }
    }
}
