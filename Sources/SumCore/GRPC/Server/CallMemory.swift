internal import Synchronization

/// What the asynchronous calls of one connection hold together, so that a client cannot make the server hold much more
/// than it has sent: messages that were decompressed, and responses that the client does not take.
///
/// Whoever would hold more waits. Methods may be called from any thread.
final class CallMemory: Sendable {
    /// Decompressed bytes that handlers may have in hand, or else one message.
    static let decompressedLimit = 512 << 10
    /// Bytes of responses that may wait to be sent before those of other calls have to.
    static let unsentLimit = 256 << 10
    /// Bytes of a response that waits for no other call, so that one that nobody reads holds up no small ones.
    static let smallResponse = 16 << 10

    private struct State {
        var decompressed = 0
        var unsent = 0
        /// Counts the changes that may let somebody go on.
        var generation = 0
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    // MARK: Decompressed messages

    /// Takes room for a message that may decompress to `count` bytes.
    ///
    /// - Returns: whether there was room.
    func reserveDecompressed(_ count: Int) -> Bool {
        state.withLock { state in
            guard state.decompressed == 0 || state.decompressed + count <= Self.decompressedLimit else {
                return false
            }
            state.decompressed += count
            return true
        }
    }

    /// Gives room back.
    func releaseDecompressed(_ count: Int) {
        guard count > 0 else { return }
        wake { $0.decompressed -= count }
    }

    // MARK: Responses

    /// Takes room for a response.
    ///
    /// - Parameter own: bytes of the same call that wait already.
    /// - Returns: whether there was room.
    func reserveUnsent(_ count: Int, own: Int) -> Bool {
        state.withLock { state in
            let isSmall = own == 0 && count <= Self.smallResponse
            guard isSmall || state.unsent == 0 || state.unsent + count <= Self.unsentLimit else {
                return false
            }
            state.unsent += count
            return true
        }
    }

    /// Bytes of responses were sent, or never will be.
    func releaseUnsent(_ count: Int) {
        guard count > 0 else { return }
        wake { $0.unsent -= count }
    }

    // MARK: Waiting

    /// To be read before asking for room, and given to `waitForChange` when there was none.
    var generation: Int { state.withLock { $0.generation } }

    /// Waits until room has been given back, or a call has ended, since `generation`.
    func waitForChange(since generation: Int) async {
        await withCheckedContinuation { continuation in
            let mustWait = state.withLock { state in
                guard state.generation == generation else { return false }
                state.waiters.append(continuation)
                return true
            }
            if !mustWait { continuation.resume() }
        }
    }

    /// Has everybody look again, since a call has ended.
    func wakeAll() {
        wake { _ in }
    }

    private func wake(_ change: (inout State) -> Void) {
        let waiters = state.withLock { state in
            change(&state)
            state.generation += 1
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}
