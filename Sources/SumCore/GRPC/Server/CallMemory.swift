internal import Synchronization

/// Limits the memory that the asynchronous calls of one connection hold together: decompressed messages, and responses
/// that the client does not take. So a client cannot make the server hold much more than it has sent.
///
/// Calls that need more wait. All methods may be called from any thread.
final class CallMemory: Sendable {
    /// Decompressed bytes that handlers may hold. A single message may exceed it.
    static let decompressedLimit = 256 << 10
    /// Bytes of unsent responses. A single response may exceed it.
    static let unsentLimit = 256 << 10
    /// Bytes up to which a call's only response is accepted regardless of the limit, so that unread responses of other
    /// calls do not block it.
    static let smallResponse = 16 << 10

    private struct State {
        var decompressed = 0
        var unsent = 0
        /// Counts the changes that may allow a waiting call to continue.
        var generation = 0
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    // MARK: Decompressed messages

    /// Reserves room for a message that may decompress to `count` bytes.
    ///
    /// - Returns: false if there is no room; nothing is reserved then.
    func reserveDecompressed(_ count: Int) -> Bool {
        state.withLock { state in
            guard state.decompressed == 0 || state.decompressed + count <= Self.decompressedLimit else {
                return false
            }
            state.decompressed += count
            return true
        }
    }

    /// Releases the room of decompressed messages.
    func releaseDecompressed(_ count: Int) {
        guard count > 0 else { return }
        wake { $0.decompressed -= count }
    }

    // MARK: Responses

    /// Reserves room for a response.
    ///
    /// - Parameters:
    ///   - count: bytes of the response.
    ///   - own: unsent bytes of the same call.
    /// - Returns: false if there is no room; nothing is reserved then.
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

    /// Releases the room of responses that were sent, or never will be.
    func releaseUnsent(_ count: Int) {
        guard count > 0 else { return }
        wake { $0.unsent -= count }
    }

    // MARK: Waiting

    /// Read this before a reservation, and pass it to `waitForChange` if there was no room.
    var generation: Int { state.withLock { $0.generation } }

    /// Waits until room has been released, or a call has ended, since `generation` was read.
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

    /// Wakes all waiting calls, because a call has ended.
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
