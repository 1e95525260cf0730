internal import NIOCore
internal import Synchronization

/// One call on the server, for a handler written with async/await.
///
/// Incoming messages wait as they arrived, compressed or not, and the client gets credit for a message when the handler
/// takes it. A handler that sends waits while too much is unsent. So neither side can fill the server's memory. All
/// methods may be called from any task of the handler.
public final class AsyncServerCall: Sendable {
    /// The request's metadata, deadline, peer, and limits.
    public let context: ServerCallContext

    /// Unsent bytes of the call beyond which `send` waits.
    private static let unsentLimit = 256 << 10

    struct State {
        var inbox: MessageInbox
        var inboxIsComplete = false
        var counts = MessageCounts(received: 0, sent: 0)
        /// Decompressed bytes of the last message that the handler took, while it may still use it.
        var inHand = 0
        /// Whether the last message that was taken came compressed.
        var lastWasCompressed = false
        /// How the call has ended; nothing can be taken or sent any more.
        var end: GRPCStatus?
        var unsent = 0
        /// The reply that the event loop has been asked to fetch. Changes until then are merged into it.
        var outgoing: ServerReply?
        var metadata = GRPCMetadata()
        /// Whether the headers have been sent, or are about to be, so that they cannot be changed.
        var hasSentHeaders = false
        var trailers = GRPCMetadata()
        /// The compression of responses.
        var compression: GRPCCompression
        /// Tasks that wait for a message, for room, or for the end. Each checks its condition again when woken.
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

    let state: Mutex<State>

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

    /// Chooses the compression of responses. The default is that of the request. Has no effect if the client cannot
    /// decompress it.
    ///
    /// - Throws: INTERNAL if the headers have been sent, because they name the compression; the call's status if it has
    ///   ended.
    public func setCompression(_ compression: GRPCCompression) throws(GRPCStatus) {
        guard context.accepts(compression) else { return }
        try state.withLock { state throws(GRPCStatus) in
            try state.requireUnsentHeaders(for: "compression")
            state.compression = compression
        }
    }

    /// Sets the metadata in the response headers. These are sent by `sendResponseMetadata`, with the first response, or
    /// with the status, whichever comes first.
    ///
    /// - Throws: INTERNAL if the headers have been sent, or if the metadata is invalid; the call's status if it has
    ///   ended.
    public func setResponseMetadata(_ metadata: GRPCMetadata) throws(GRPCStatus) {
        if let refusal = metadata.refusal { throw refusal }
        try state.withLock { state throws(GRPCStatus) in
            try state.requireUnsentHeaders(for: "response metadata")
            state.metadata = metadata
        }
    }

    /// Sends the headers now, for a client that waits for them. Has no effect if they have been sent.
    ///
    /// - Throws: the call's status if it has ended.
    public func sendResponseMetadata() throws(GRPCStatus) {
        let isFirst = try state.withLock { state throws(GRPCStatus) in
            if let end = state.end { throw end }
            defer { state.hasSentHeaders = true }
            return !state.hasSentHeaders
        }
        if isFirst { post { $0.sendsHeaders = true } }
    }

    /// Sets the metadata that is sent with the status. Invalid metadata makes the status INTERNAL.
    public func setTrailers(_ trailers: GRPCMetadata) {
        state.withLock { $0.trailers = trailers }
    }

    /// Whether the request message that the handler has taken last came compressed.
    public var lastMessageWasCompressed: Bool { state.withLock { $0.lastWasCompressed } }

    // MARK: For the handler

    /// The next message of the request, decompressed. Waits for it, and for memory to decompress it.
    ///
    /// - Returns: nil after the last message.
    /// - Throws: the call's status if it has ended; INTERNAL or RESOURCE_EXHAUSTED for a message that cannot be
    ///   decompressed.
    func next() async throws(GRPCStatus) -> ByteBuffer? {
        // Not only once there is another message: a call that waits must not hold room that other calls wait for.
        putDown()
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
            try await reserve { arrival.size == 0 || $0.reserveDecompressed(arrival.size) }
            if let message = try takeMessage(reserved: arrival.size) { return message }
        }
    }

    /// Takes the next message from the inbox and decompresses it.
    ///
    /// - Parameter reserved: bytes of `CallMemory` that were reserved for it.
    /// - Returns: nil if another reader has taken the message.
    private func takeMessage(reserved: Int) throws(GRPCStatus) -> ByteBuffer? {
        let compression = context.compression
        var decompressed = 0
        defer { context.memory.releaseDecompressed(reserved - decompressed) }
        // Another reader may have taken the message for which memory was reserved.
        guard
            let message = state.withLock({ state -> ReceivedMessage? in
                guard state.inbox.largestDecompressedSize == reserved else { return nil }
                let message = state.inbox.next()
                if let message { state.lastWasCompressed = message.isCompressed }
                return message
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

    /// Releases the memory of the last message: the handler asks for another one, or has ended the call.
    private func putDown() {
        let count = state.withLock { state in
            defer { state.inHand = 0 }
            return state.inHand
        }
        context.memory.releaseDecompressed(count)
    }

    /// Waits until the connection's `CallMemory` has room.
    ///
    /// - Parameter hasRoom: reserves the room, and returns whether it could.
    /// - Throws: the call's status if it has ended.
    private func reserve(_ hasRoom: (CallMemory) -> Bool) async throws(GRPCStatus) {
        while true {
            let generation = context.memory.generation
            if let end = state.withLock({ $0.end }) { throw end }
            if hasRoom(context.memory) { return }
            await context.memory.waitForChange(since: generation)
        }
    }

    /// Sends one message. Waits for memory first, and then while more than 256 KiB of the call are unsent.
    ///
    /// - Throws: the call's status if it has ended.
    func send(_ message: consuming [UInt8], compressed: Bool = true) async throws(GRPCStatus) {
        let writer = MessageWriter(compression: state.withLock { $0.compression })
        // A message is in memory once while it waits. Its length on the wire must be known by then, which takes a second
        // copy only if it is compressed.
        var framed = ByteBuffer()
        let isCompressed = compressed && writer.compression != .identity
        if isCompressed {
            try writer.write(message, to: &framed)
            message = []
        }
        let count = isCompressed ? framed.readableBytes : MessagePrefix.length + message.count
        try await reserve { memory in
            memory.reserveUnsent(count, own: state.withLock { $0.unsent })
        }
        if !isCompressed {
            do throws(GRPCStatus) {
                try writer.write(message, compressed: false, to: &framed)
                message = []
            } catch {
                context.memory.releaseUnsent(count)
                throw error
            }
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

    /// Waits until the state changes, if `condition` holds now.
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

    /// Ends the call with the handler's status.
    func complete(_ status: GRPCStatus) {
        putDown()
        post { $0.end = status }
    }

    /// Merges a change into the outgoing reply, and asks the event loop to fetch it.
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
}
