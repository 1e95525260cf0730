internal import Logging
internal import NIOCore
internal import Synchronization

/// Writes down why clients were sent away, for all connections of a server: not so often that clients could fill the
/// disk with it.
final class OffenceLog: Sendable {
    private struct State {
        var lines: TokenBucket
        var unwritten = 0
    }

    private let logger: Logger
    private let state: Mutex<State>

    /// - Parameter lines: as many at once, and a tenth of it a second.
    init(logger: Logger, lines: Int = 100, now: NIODeadline = .now()) {
        self.logger = logger
        state = Mutex(State(lines: TokenBucket(burst: lines, perSecond: lines / 10, now: now)))
    }

    func write(_ offence: any Error, of peer: String, at now: NIODeadline) {
        let unwritten = state.withLock { state -> Int? in
            guard state.lines.take(1, at: now) else {
                state.lines.give(1)
                state.unwritten += 1
                return nil
            }
            defer { state.unwritten = 0 }
            return state.unwritten
        }
        guard let unwritten else { return }
        var metadata: Logger.Metadata = ["peer": "\(peer)", "error": "\(offence)"]
        if unwritten > 0 { metadata["not-logged-before"] = "\(unwritten)" }
        logger.info("connection failed", metadata: metadata)
    }
}
