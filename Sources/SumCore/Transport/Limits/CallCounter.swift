internal import Synchronization

/// Counts the open calls of each caller, over all connections of a server.
final class CallCounter: Sendable {
    private let limit: Int
    /// Has only callers with open calls, so it is bounded as they are.
    private let counts = Mutex<[Caller: Int]>([:])

    init(limit: Int) {
        self.limit = limit
    }

    /// Counts a call that begins. Each that was counted must be ended with `end`.
    ///
    /// - Throws: RESOURCE_EXHAUSTED, if the caller has as many calls as it may have.
    func begin(_ caller: Caller) throws(GRPCStatus) {
        let isCounted = counts.withLock { counts in
            guard counts[caller, default: 0] < limit else { return false }
            counts[caller, default: 0] += 1
            return true
        }
        guard isCounted else {
            throw GRPCStatus(code: .resourceExhausted, message: "the caller has \(limit) calls already")
        }
    }

    func end(_ caller: Caller) {
        counts.withLock { counts in
            guard let count = counts[caller] else { return }
            counts[caller] = count > 1 ? count - 1 : nil
        }
    }
}
