/// Decides whether a failed call is retried (grpc/proposal A6).
///
/// A call is retried only after UNAVAILABLE, only before the response has begun, and only if everything it sent can be
/// resent. A call whose HEADERS never left the client is retried a few times, and one that the server refused before a
/// method saw it once; these do not count as retries. Beyond that, and for all other calls, the options limit the
/// retries.
struct RetryPolicy {
    let maxRetries: Int
    /// Retries so far, sent to the server as `grpc-previous-rpc-attempts`.
    private(set) var retries = 0
    private var wasRefused = false
    private var unsent = 0
    /// Bounds the attempts on a server that accepts connections but no calls.
    private static let unsentLimit = 5
    private var backoff = Backoff(first: .milliseconds(100), longest: .seconds(5))

    init(maxRetries: Int) {
        self.maxRetries = maxRetries
    }

    enum Decision: Equatable {
        case end(ClientCallEnd)
        case retry(after: Duration)
    }

    /// - Parameters:
    ///   - replay: what was sent; it is dropped once the response begins.
    ///   - timeLeft: time until the deadline; nil if there is none.
    mutating func decide(_ end: ClientCallEnd, _ replay: ReplayBuffer, timeLeft: Duration?) -> Decision {
        guard end.status.code == .unavailable, end.reach != .answered else { return .end(end) }
        guard replay.isWhole else {
            guard replay.hasOverflowed, maxRetries > 0 || end.reach != .maybeSeen else {
                return .end(end)
            }
            return .end(
                end.adding("more was sent than the \(ReplayBuffer.limit) bytes kept for another attempt"))
        }
        switch end.reach {
        case .notSentOnWire where unsent < Self.unsentLimit:
            unsent += 1
            return .retry(after: unsent == 1 ? .zero : backoff.next())
        case .notSeenByServer where !wasRefused:
            wasRefused = true
            return .retry(after: .zero)
        case .answered:
            return .end(end)
        case .notSentOnWire, .notSeenByServer, .maybeSeen:
            return retry(end, timeLeft: timeLeft)
        }
    }

    private mutating func retry(_ end: ClientCallEnd, timeLeft: Duration?) -> Decision {
        guard maxRetries > 0 else { return .end(end) }
        guard retries < maxRetries else {
            return .end(retries == 0 ? end : end.adding("tried \(retries + 1) times"))
        }
        guard let pause = pause(end.pushback) else {
            return .end(end.adding("the server asks not to try again"))
        }
        guard timeLeft.map({ pause < $0 }) ?? true else {
            return .end(end.adding("the deadline leaves no time to try again"))
        }
        retries += 1
        return .retry(after: pause)
    }

    /// The server's pushback takes precedence over our backoff. A negative or invalid value forbids a retry.
    private mutating func pause(_ pushback: String?) -> Duration? {
        guard let pushback else { return backoff.next() }
        guard let milliseconds = Int32(pushback), milliseconds >= 0 else { return nil }
        return .milliseconds(Int64(milliseconds))
    }
}

extension ClientCallEnd {
    /// Adds to the message why the call was not retried.
    fileprivate func adding(_ reason: String) -> ClientCallEnd {
        var end = self
        end.status.message += end.status.message.isEmpty ? reason : " (\(reason))"
        return end
    }
}
