internal import NIOCore
internal import Synchronization

/// One call on the server for a handler that is written with async/await.
///
/// What the client sends waits as it came, compressed if it is; the client gets credit for it when the handler takes it.
/// A handler that sends waits while much is still to be passed on. So neither side fills the server's memory.
public final class AsyncServerCall: Sendable {
    /// What the client said when it began the call.
    public let context: ServerCallContext

    /// Bytes that may wait to be passed on before `send` does.
    private static let unsentLimit = 256 << 10

    private struct State {
        var inbox: MessageInbox
        var inboxIsComplete = false
        var counts = MessageCounts(received: 0, sent: 0)
        /// Decompressed bytes of the message that the handler took last.
        var inHand = 0
        /// Why there is nothing more to take or send.
        var end: GRPCStatus?
        var unsent = 0
        /// What the event loop has been asked to fetch; replies that follow each other quickly go as one.
        var outgoing: ServerReply?
        var metadata = GRPCMetadata()
        /// Whether the headers have been sent, or are about to be: it is too late for what travels in them.
        var hasSentHeaders = false
        var trailers = GRPCMetadata()
        /// How responses are compressed.
        var compression: GRPCCompression
        /// Who waits for a message, for room, or for the end; each looks again when woken.
        var waiters: [CheckedContinuation<Void, Never>] = []

        func requireUnsentHeaders(for what: String) throws(GRPCStatus) {
            if let end { throw end }
            guard hasSentHeaders else { return }
            throw GRPCStatus(
                code: .internalError, message: "\(what) was set after the response headers had been sent")
        }

        mutating func takeWaiters() -> [CheckedContinuation<Void, Never>] {
            defer { waiters = [] }
            return waiters
        }
    }

    private let state: Mutex<State>

    init(context: ServerCallContext) {
        self.context = context
        state = Mutex(
            State(
                inbox: MessageInbox(
                    limit: context.maxMessageSize, compression: context.compression),
                compression: context.responseCompression))
    }

    deinit {
        let (inHand, unsent) = state.withLock { ($0.inHand, $0.unsent) }
        context.memory.releaseDecompressed(inHand)
        context.memory.releaseUnsent(unsent)
    }

    /// Chooses how to compress the responses; without it, as the request is. Ignored when the client cannot
    /// decompress it.
    ///
    /// - Throws: INTERNAL when the headers have been sent, which name the compression; the status with which the call
    ///   has ended, if it has.
    public func setCompression(_ compression: GRPCCompression) throws(GRPCStatus) {
        guard context.accepts(compression) else { return }
        try state.withLock { state throws(GRPCStatus) in
            try state.requireUnsentHeaders(for: "compression")
            state.compression = compression
        }
    }

    /// Sets the metadata that travels in the headers. They are sent by `sendResponseMetadata`, or else with the first
    /// response or the status.
    ///
    /// - Throws: INTERNAL when the headers have been sent; the status with which the call has ended, if it has.
    public func setResponseMetadata(_ metadata: GRPCMetadata) throws(GRPCStatus) {
        try state.withLock { state throws(GRPCStatus) in
            try state.requireUnsentHeaders(for: "response metadata")
            state.metadata = metadata
        }
    }

    /// Sends the headers now, for a client that waits for them before it goes on. Does nothing if they have been sent.
    ///
    /// - Throws: the status with which the call has ended, if it has.
    public func sendResponseMetadata() throws(GRPCStatus) {
        let isFirst = try state.withLock { state throws(GRPCStatus) in
            if let end = state.end { throw end }
            defer { state.hasSentHeaders = true }
            return !state.hasSentHeaders
        }
        if isFirst { post { $0.sendsHeaders = true } }
    }

    /// Sets what travels with the status.
    public func setTrailers(_ trailers: GRPCMetadata) {
        state.withLock { $0.trailers = trailers }
    }

    // MARK: For the handler

    /// The next message of the request, decompressed; nil after the last.
    ///
    /// - Throws: the status with which the call has ended otherwise; INTERNAL or RESOURCE_EXHAUSTED for a message that
    ///   cannot be decompressed.
    func next() async throws(GRPCStatus) -> ByteBuffer? {
        while true {
            let arrival = try state.withLock { state throws(GRPCStatus) -> (size: Int, isLast: Bool)? in
                if let end = state.end { throw end }
                guard state.inbox.count == 0 else { return (state.inbox.largestDecompressedSize, false) }
                return state.inboxIsComplete ? (0, true) : nil
            }
            guard let arrival else {
                _ = await wait { $0.inbox.count == 0 && !$0.inboxIsComplete && $0.end == nil }
                continue
            }
            if arrival.isLast { return nil }
            putDown()
            try await reserve { arrival.size == 0 || $0.reserveDecompressed(arrival.size) }
            if let message = try takeMessage(reserved: arrival.size) { return message }
        }
    }

    /// Takes a message out of the inbox and decompresses it.
    ///
    /// - Parameter reserved: the room that was taken for it.
    private func takeMessage(reserved: Int) throws(GRPCStatus) -> ByteBuffer? {
        let compression = context.compression
        var decompressed = 0
        defer { context.memory.releaseDecompressed(reserved - decompressed) }
        // Another reader may have taken the message that the room was for.
        guard
            let message = state.withLock({ state in
                state.inbox.largestDecompressedSize == reserved ? state.inbox.next() : nil
            })
        else { return nil }
        defer {
            post { [decompressed] in
                $0.consumed += message.wireLength
                $0.decompressed += decompressed
            }
        }
        let bytes = try message.decompressed(compression, limit: context.maxMessageSize)
        if message.isCompressed {
            decompressed = bytes.readableBytes
            state.withLock { $0.inHand += decompressed }
        }
        return bytes
    }

    /// The handler is done with the message that it took last: it asks for another, or has ended the call.
    private func putDown() {
        let count = state.withLock { state in
            defer { state.inHand = 0 }
            return state.inHand
        }
        context.memory.releaseDecompressed(count)
    }

    /// Waits until there is room in the connection's memory.
    ///
    /// - Throws: the status with which the call has ended meanwhile.
    private func reserve(_ hasRoom: (CallMemory) -> Bool) async throws(GRPCStatus) {
        while true {
            let generation = context.memory.generation
            if let end = state.withLock({ $0.end }) { throw end }
            if hasRoom(context.memory) { return }
            await context.memory.waitForChange(since: generation)
        }
    }

    /// Sends one message.
    ///
    /// - Throws: the status with which the call has ended, if it has.
    func send(_ message: [UInt8], compressed: Bool = true) async throws(GRPCStatus) {
        let writer = MessageWriter(compression: state.withLock { $0.compression })
        var framed = ByteBuffer()
        try writer.write(message, compressed: compressed, to: &framed)
        let count = framed.readableBytes
        try await reserve { memory in
            memory.reserveUnsent(count, own: state.withLock { $0.unsent })
        }
        let end = state.withLock { state in
            if state.end == nil {
                state.hasSentHeaders = true
                state.unsent += count
                state.counts.sent += 1
            }
            return state.end
        }
        if let end {
            context.memory.releaseUnsent(count)
            throw end
        }
        post { [framed] in $0.messages.writeImmutableBuffer(framed) }
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
        putDown()
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
        state.withLock { state in
            var reply = state.outgoing.take() ?? ServerReply()
            (reply.metadata, reply.trailers) = (state.metadata, state.trailers)
            reply.compression = state.compression
            return reply
        }
    }

    // MARK: For the event loop

    private func change<Failure: Error>(_ body: (inout State) throws(Failure) -> Void) throws(Failure) {
        let waiters = try state.withLock { state throws(Failure) in
            try body(&state)
            return state.takeWaiters()
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Bytes of messages have come.
    ///
    /// - Throws: the status that ends the call, if they are not messages.
    func receive(_ bytes: ByteBuffer) throws(GRPCStatus) {
        try change { state throws(GRPCStatus) in
            let before = state.inbox.count
            defer { state.counts.received += Int64(state.inbox.count - before) }
            try state.inbox.append(bytes)
        }
    }

    /// The messages that have come, and those that the handler has sent.
    var messageCounts: MessageCounts { state.withLock { $0.counts } }

    /// No more messages follow.
    ///
    /// - Throws: the status that ends the call, if the last one was cut.
    func receiveEnd() throws(GRPCStatus) {
        try change { state throws(GRPCStatus) in
            try state.inbox.finish()
            state.inboxIsComplete = true
        }
    }

    func end(_ status: GRPCStatus) {
        var unsent = 0
        change { state in
            state.end = status
            state.inbox.removeAll()
            (unsent, state.unsent) = (state.unsent, 0)
        }
        context.memory.releaseUnsent(unsent)
        context.memory.wakeAll()
    }

    func sent(_ byteCount: Int) {
        var count = 0
        change { state in
            count = min(byteCount, state.unsent)
            state.unsent -= count
        }
        context.memory.releaseUnsent(count)
    }
}
