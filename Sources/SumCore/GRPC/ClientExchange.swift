internal import NIOCore
internal import Synchronization

/// Between the tasks of a client's call and its connection: what is sent waits in a pipe, what has come in an
/// inbox, both bounded.
final class ClientExchange: ClientCallHandler {
    let pipe = MessagePipe()

    /// Bytes of messages that may wait for their reader before the server gets no more credit.
    private static let inboxLimit = 256 << 10

    private struct State {
        var reader: MessageReader
        var inbox = CircularBuffer<ByteBuffer>()
        /// Bytes in the inbox.
        var waiting = 0
        /// Bytes received that the server has no credit for yet.
        var uncredited = 0
        var metadata: GRPCMetadata?
        var end: ClientCallEnd?
        var allWasSent = false
        /// Who waits for a message, for the metadata, or for the end; each looks again when woken.
        var waiters: [CheckedContinuation<Void, Never>] = []

        mutating func takeCredit() -> Int {
            guard waiting < inboxLimit else { return 0 }
            defer { uncredited = 0 }
            return uncredited
        }
    }

    private let state: Mutex<State>

    init(maximumMessageLength: Int) {
        state = Mutex(State(reader: MessageReader(maximumLength: maximumMessageLength)))
    }

    // MARK: For tasks

    /// The next message, with the bytes that the server is to get credit for; nil after the last.
    ///
    /// - Throws: the status of a call that did not end well, after its last message.
    func next() async throws(GRPCStatus) -> (message: ByteBuffer, credit: Int)? {
        while true {
            let (next, end) = state.withLock { state in
                let message = state.inbox.popFirst()
                state.waiting -= message?.readableBytes ?? 0
                return (message.map { ($0, state.takeCredit()) }, state.end)
            }
            if let next { return next }
            if let end {
                guard end.status.isOK else { throw end.status }
                return nil
            }
            await wait { $0.inbox.isEmpty && $0.end == nil }
        }
    }

    /// What came in front of the first message; empty when the call ended before there was one.
    ///
    /// - Throws: the status of a call that did not end well, and had no messages.
    func metadata() async throws(GRPCStatus) -> GRPCMetadata {
        await wait { $0.metadata == nil && $0.end == nil }
        let (metadata, end) = state.withLock { ($0.metadata, $0.end) }
        if metadata == nil, let end, !end.status.isOK { throw end.status }
        return metadata ?? GRPCMetadata()
    }

    /// Waits until the call has ended.
    ///
    /// - Returns: how, and whether all messages had been sent by then.
    func ended() async -> (end: ClientCallEnd, allWasSent: Bool) {
        while true {
            await wait { $0.end == nil }
            if let ended = state.withLock({ state in state.end.map { ($0, state.allWasSent) } }) {
                return ended
            }
        }
    }

    private func wait(while condition: (borrowing State) -> Bool) async {
        await withCheckedContinuation { continuation in
            let mustWait = state.withLock { state in
                guard condition(state) else { return false }
                state.waiters.append(continuation)
                return true
            }
            if !mustWait { continuation.resume() }
        }
    }

    // MARK: For the event loop

    func fill(_ frame: inout OutputRawSpan) -> ClientCallProgress {
        pipe.fill(&frame)
    }

    func receiveHeaders(_ metadata: GRPCMetadata, compression: GRPCCompression) {
        change { state in
            state.metadata = metadata
            state.reader = MessageReader(
                maximumLength: state.reader.maximumLength, compression: compression)
        }
    }

    func receive(_ bytes: ByteBuffer) throws(GRPCStatus) -> Int {
        try change { state throws(GRPCStatus) in
            var bytes = bytes
            state.uncredited += bytes.readableBytes
            while let message = try state.reader.next(from: &bytes) {
                state.waiting += message.readableBytes
                state.inbox.append(message)
            }
            return state.takeCredit()
        }
    }

    func end(_ end: ClientCallEnd) {
        let allWasSent = pipe.isDrained
        let status = change { state in
            var end = end
            if end.status.isOK {
                do throws(GRPCStatus) { try state.reader.finish() } catch { end.status = error }
            }
            (state.end, state.allWasSent) = (end, allWasSent)
            return end.status
        }
        pipe.end(status.isOK ? GRPCStatus(code: .failedPrecondition, message: "the call has ended") : status)
    }

    /// Wakes whoever waits, also when the change fails.
    private func change<Result, Failure: Error>(
        _ body: (inout sending State) throws(Failure) -> sending Result
    ) throws(Failure) -> Result {
        var waiters: [CheckedContinuation<Void, Never>] = []
        defer { for waiter in waiters { waiter.resume() } }
        return try state.withLock { state throws(Failure) in
            swap(&waiters, &state.waiters)
            return try body(&state)
        }
    }
}
