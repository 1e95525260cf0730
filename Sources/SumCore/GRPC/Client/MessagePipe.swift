internal import NIOCore
internal import Synchronization

/// Framed messages on their way from the sending tasks to the event loop, which fills frames with them.
///
/// The pipe is bounded: when it is full, senders wait.
final class MessagePipe: HTTP2Body, Sendable {
    /// Bytes in the pipe at which senders wait, until half of them have left.
    private static let capacity = 512 << 10
    /// The size of the buffers, in bytes, in which small messages are gathered.
    private static let bufferSize = 64 << 10

    /// The size, in bytes, from which a batch is sent without copying it.
    private static let longPiece = 16 << 10

    /// The number of emptied buffers to keep; more than the pipe holds when it is full.
    private static let spareLimit = 16

    private struct State {
        var queue = CircularBuffer<ByteBuffer>()
        var byteCount = 0
        /// Messages and bytes that were written so far.
        var messagesWritten: Int64 = 0
        var bytesWritten = 0
        /// Emptied buffers, to be reused for the next batches.
        var spares: [ByteBuffer] = []
        var isFinished = false
        /// How the call ended; nothing more can be sent.
        var end: GRPCStatus?
        /// Whether the event loop found the pipe empty and must be woken.
        var isParked = false
        var waiters: [CheckedContinuation<Void, Never>] = []

        mutating func unpark() -> Bool {
            defer { isParked = false }
            return isParked
        }

        func checkOpen() throws(GRPCStatus) {
            if let end { throw end }
            guard !isFinished else {
                throw GRPCStatus(
                    code: .failedPrecondition, message: "the messages have been declared complete")
            }
        }

        mutating func takeWaiters() -> [CheckedContinuation<Void, Never>] {
            defer { waiters = [] }
            return waiters
        }

        /// Accounts for `count` bytes that have left.
        mutating func account(sent count: Int) -> (HTTP2BodyState, [CheckedContinuation<Void, Never>]) {
            byteCount -= count
            let isDrained = queue.isEmpty && isFinished
            isParked = count == 0 && !isDrained
            return (
                isDrained ? .finished(trailers: []) : .open, byteCount < capacity / 2 ? takeWaiters() : []
            )
        }

        mutating func recycleFirst() {
            var emptied = queue.removeFirst()
            emptied.clear()
            if spares.count < MessagePipe.spareLimit { spares.append(emptied) }
        }
    }

    private let state = Mutex(State())

    enum Written {
        case done(wake: Bool)
        /// The pipe is full: wait before writing again.
        case full(wake: Bool)
    }

    /// Adds a batch of messages.
    ///
    /// - Parameter messageCount: how many they are.
    /// - Throws: how the call ended, if it has; FAILED_PRECONDITION after `finish`.
    func write(_ batch: ByteBuffer, messageCount: Int = 1) throws(GRPCStatus) -> Written {
        try state.withLock { state throws(GRPCStatus) in
            try state.checkOpen()
            state.queue.append(batch)
            return Self.account(batch.readableBytes, messageCount, &state)
        }
    }

    /// Adds one message, written by `encode`.
    ///
    /// - Throws: how the call ended, if it has; FAILED_PRECONDITION after `finish`.
    func write(maxLength: Int, _ encode: (inout OutputRawSpan) -> Void) throws(GRPCStatus) -> Written {
        try state.withLock { state throws(GRPCStatus) in
            try state.checkOpen()
            if state.queue.last.map({ $0.readableBytes + maxLength > Self.bufferSize }) ?? true {
                state.queue.append(state.spares.popLast() ?? ByteBuffer())
            }
            let last = state.queue.index(before: state.queue.endIndex)
            let before = state.queue[last].readableBytes
            state.queue[last].writeWithOutputRawSpan(minimumWritableBytes: maxLength) { encode(&$0) }
            return Self.account(state.queue[last].readableBytes - before, 1, &state)
        }
    }

    private static func account(_ count: Int, _ messageCount: Int, _ state: inout State) -> Written {
        state.byteCount += count
        state.bytesWritten += count
        state.messagesWritten += Int64(messageCount)
        let wake = state.unpark()
        return state.byteCount >= capacity ? .full(wake: wake) : .done(wake: wake)
    }

    /// The messages and bytes that were written so far.
    var written: (messages: Int64, bytes: Int) { state.withLock { ($0.messagesWritten, $0.bytesWritten) } }

    /// Returns an empty buffer for a batch, reusing the memory of one already sent if possible.
    func takeSpare() -> ByteBuffer {
        state.withLock { $0.spares.popLast() } ?? ByteBuffer()
    }

    /// Waits until there is room or the call has ended.
    func waitForRoom() async {
        await withCheckedContinuation { continuation in
            let mustWait = state.withLock { state in
                guard state.byteCount >= Self.capacity, state.end == nil else { return false }
                state.waiters.append(continuation)
                return true
            }
            if !mustWait { continuation.resume() }
        }
    }

    /// Marks the end of the messages. Returns whether the event loop must be woken.
    func finish() -> Bool {
        state.withLock { state in
            state.isFinished = true
            return state.unpark()
        }
    }

    /// Ends the pipe: drops what is left and wakes all waiting senders.
    func end(_ status: GRPCStatus) {
        let waiters = state.withLock { state in
            state.end = status
            state.queue.removeAll()
            state.byteCount = 0
            return state.takeWaiters()
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Moves bytes into a frame. Called on the event loop.
    func fill(_ frame: inout OutputRawSpan) -> HTTP2BodyState {
        let (progress, waiters) = state.withLock { state in
            let room = frame.freeCapacity
            while frame.freeCapacity > 0, !state.queue.isEmpty {
                frame.append(moving: &state.queue[state.queue.startIndex])
                if state.queue[state.queue.startIndex].readableBytes == 0 { state.recycleFirst() }
            }
            return state.account(sent: room - frame.freeCapacity)
        }
        for waiter in waiters { waiter.resume() }
        return progress
    }

    /// Returns the first bytes of a batch, unless copying them is cheaper. Called on the event loop.
    func takeLongPiece(maximum: Int) -> (bytes: ByteBuffer, state: HTTP2BodyState)? {
        let (piece, waiters) = state.withLock {
            state -> ((ByteBuffer, HTTP2BodyState)?, [CheckedContinuation<Void, Never>]) in
            guard let first = state.queue.first, first.readableBytes >= Self.longPiece else {
                return (nil, [])
            }
            let length = min(maximum, first.readableBytes)
            guard let bytes = state.queue[state.queue.startIndex].readSlice(length: length) else {
                return (nil, [])
            }
            if length == first.readableBytes { state.recycleFirst() }
            let (progress, waiters) = state.account(sent: length)
            return ((bytes, progress), waiters)
        }
        for waiter in waiters { waiter.resume() }
        return piece
    }
}
