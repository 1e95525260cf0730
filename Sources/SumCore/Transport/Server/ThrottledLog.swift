internal import Logging
internal import NIOCore
internal import Synchronization

/// Logs why connections failed and requests were reset, for all connections of a server. The rate is limited, so that
/// clients cannot fill the disk.
final class ThrottledLog: Sendable {
    private struct Lines {
        var bucket: TokenBucket
        var unwritten = 0

        /// - Returns: the number of lines omitted before this one; nil if this one is omitted too.
        mutating func take(at now: NIODeadline) -> Int? {
            guard bucket.take(1, at: now) else {
                bucket.give(1)
                unwritten += 1
                return nil
            }
            defer { unwritten = 0 }
            return unwritten
        }
    }

    private let logger: Logger
    private let connections: Mutex<Lines>
    /// Separate, so that bad requests do not keep the reasons for lost connections out of the log.
    private let requests: Mutex<Lines>

    /// - Parameter lines: the burst of lines of each kind; a tenth of it is allowed per second.
    init(logger: Logger, lines: Int = 100, now: NIODeadline = .now()) {
        self.logger = logger
        let bucket = TokenBucket(burst: lines, perSecond: lines / 10, now: now)
        connections = Mutex(Lines(bucket: bucket))
        requests = Mutex(Lines(bucket: bucket))
    }

    /// - Parameter level: `info` for what the operator should know, `debug` for everyday events.
    func connectionFailed(_ reason: String, of peer: Peer, at now: NIODeadline, level: Logger.Level = .info) {
        guard logger.logLevel <= level, let unwritten = connections.withLock({ $0.take(at: now) }) else {
            return
        }
        logger.log(level: level, "connection failed", metadata: metadata(reason, of: peer, unwritten))
    }

    /// A request was reset because of what the client sent.
    func requestRefused(_ reason: String, of peer: Peer, at now: NIODeadline) {
        guard logger.logLevel <= .debug, let unwritten = requests.withLock({ $0.take(at: now) }) else {
            return
        }
        logger.debug("request refused", metadata: metadata(reason, of: peer, unwritten))
    }

    private func metadata(_ error: String, of peer: Peer, _ unwritten: Int) -> Logger.Metadata {
        var metadata: Logger.Metadata = ["peer": "\(peer)", "error": "\(error)"]
        if unwritten > 0 { metadata["not-logged-before"] = .stringConvertible(unwritten) }
        return metadata
    }
}
