internal import NIOCore
internal import Synchronization

/// Connects the tasks of a client call to its connection. Outgoing messages wait in a pipe, incoming ones in an inbox;
/// both are bounded. Incoming messages wait as they arrived and are decompressed by the task that takes them.
final class AsyncClientCall: ClientCallHandler {
    let pipe = MessagePipe()

    /// Unread bytes at which the server gets no more credit.
    private static let inboxLimit = 256 << 10

    private struct State {
        var inbox: MessageInbox
        /// Bytes received that the server has no credit for yet.
        var uncredited = 0
        var messagesReceived: Int64 = 0
        /// Whether the last message that was taken came compressed.
        var lastWasCompressed = false
        var metadata: GRPCMetadata?
        var end: ClientCallEnd?
        var waiters: [Waiter] = []

        func meets(_ need: Need) -> Bool {
            guard end == nil else { return true }
            return switch need {
            case .metadata: metadata != nil
            case .message: inbox.count > 0
            // Two messages already decide it: only one is allowed.
            case .wholeAnswer: inbox.count > 1
            case .end: false
            }
        }

        mutating func takeSatisfied() -> [Waiter] {
            let waiters = waiters
            self.waiters = waiters.filter { !meets($0.need) }
            return waiters.filter { meets($0.need) }
        }

        mutating func takeCredit() -> Int {
            guard inbox.byteCount < inboxLimit else { return 0 }
            defer { uncredited = 0 }
            return uncredited
        }
    }

    /// What a task waits for. The end of the call satisfies every need.
    private enum Need {
        case metadata, message, wholeAnswer, end
    }

    private struct Waiter {
        var need: Need
        var continuation: CheckedContinuation<Void, Never>
    }

    private let state: Mutex<State>

    init(maxMessageSize: Int) {
        state = Mutex(State(inbox: MessageInbox(limit: maxMessageSize)))
    }

    // MARK: For tasks

    /// Returns the next message and the number of bytes to credit to the server; nil after the last message.
    ///
    /// - Throws: the status of a call that failed, after its last message; INTERNAL or RESOURCE_EXHAUSTED if a message
    ///   cannot be decompressed.
    func next() async throws(GRPCStatus) -> (message: ByteBuffer, credit: Int)? {
        while true {
            let (received, credit, compression, limit, end) = state.withLock { state in
                let message = state.inbox.next()
                if let message { state.lastWasCompressed = message.isCompressed }
                let credit = message == nil ? 0 : state.takeCredit()
                return (message, credit, state.inbox.compression, state.inbox.limit, state.end)
            }
            if let received { return (try received.decompressed(compression, limit: limit), credit) }
            if let end {
                guard end.status.isOK else { throw end.status }
                return nil
            }
            await wait(for: .message)
        }
    }

    /// Returns the message of a call that must end with exactly one.
    ///
    /// - Returns: nil if there is no message, or more than one.
    /// - Throws: the status of a call that failed; the errors of `next` for the message.
    func onlyMessage() async throws(GRPCStatus) -> ByteBuffer? {
        await wait(for: .wholeAnswer)
        let (count, end) = state.withLock { ($0.inbox.count, $0.end) }
        if let end, !end.status.isOK { throw end.status }
        guard count == 1 else { return nil }
        return try await next()?.message
    }

    var lastMessageWasCompressed: Bool { state.withLock { $0.lastWasCompressed } }

    /// Returns the initial metadata; empty if the call ended without any.
    ///
    /// - Throws: the status of a call that failed before initial metadata arrived.
    func metadata() async throws(GRPCStatus) -> GRPCMetadata {
        await wait(for: .metadata)
        let (metadata, end) = state.withLock { ($0.metadata, $0.end) }
        if metadata == nil, let end, !end.status.isOK { throw end.status }
        return metadata ?? GRPCMetadata()
    }

    /// Waits for the end of the call and returns it.
    func ended() async -> ClientCallEnd {
        while true {
            await wait(for: .end)
            if let end = state.withLock({ $0.end }) { return end }
        }
    }

    private func wait(for need: Need) async {
        guard state.withLock({ !$0.meets(need) }) else { return }
        await withCheckedContinuation { continuation in
            let mustWait = state.withLock { state in
                guard !state.meets(need) else { return false }
                state.waiters.append(Waiter(need: need, continuation: continuation))
                return true
            }
            if !mustWait { continuation.resume() }
        }
    }

    // MARK: For the event loop

    var requestBody: any HTTP2Body { pipe }

    var tally: ClientCallObservation.Tally {
        let written = pipe.written
        return .init(
            messagesWritten: written.messages, bytesWritten: written.bytes,
            messagesReceived: state.withLock { $0.messagesReceived })
    }

    func receiveHeaders(_ metadata: GRPCMetadata, compression: GRPCCompression) {
        change { state in
            state.metadata = metadata
            state.inbox = MessageInbox(limit: state.inbox.limit, compression: compression)
        }
    }

    func receive(_ bytes: ByteBuffer) throws(GRPCStatus) -> Int {
        try change { state throws(GRPCStatus) in
            state.uncredited += bytes.readableBytes
            let before = state.inbox.count
            defer { state.messagesReceived += Int64(state.inbox.count - before) }
            try state.inbox.append(bytes)
            return state.takeCredit()
        }
    }

    func end(_ end: ClientCallEnd) {
        var end = end
        if end.status.isOK {
            do throws(GRPCStatus) {
                try state.withLock { state throws(GRPCStatus) in try state.inbox.finish() }
            } catch {
                end.status = error
            }
        }
        // End the pipe first: a task that has seen the end must not get a different error when it sends.
        pipe.end(
            end.status.isOK
                ? GRPCStatus(code: .failedPrecondition, message: "the call has ended") : end.status)
        change { [end] state in state.end = end }
    }

    /// Applies a change, then wakes the tasks whose need it satisfies, even if it throws.
    private func change<Result, Failure: Error>(
        _ body: (inout sending State) throws(Failure) -> sending Result
    ) throws(Failure) -> Result {
        var woken: [Waiter] = []
        defer { for waiter in woken { waiter.continuation.resume() } }
        return try state.withLock { state throws(Failure) in
            defer {
                if !state.waiters.isEmpty { woken = state.takeSatisfied() }
            }
            return try body(&state)
        }
    }
}
