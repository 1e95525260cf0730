internal import NIOCore

/// Detects that a byte counter has stopped moving. It is polled, so a stall is reported up to one polling interval
/// late.
struct StallDetector {
    private var seen: (moved: Int, since: NIODeadline)?

    /// - Parameters:
    ///   - limit: how long the counter may stand still.
    ///   - moved: the counter; nil if nothing is waiting to move.
    ///   - now: the current time.
    /// - Returns: whether the counter has not changed for `limit`.
    mutating func hasLasted(_ limit: TimeAmount, moved: Int?, at now: NIODeadline) -> Bool {
        if let seen, seen.moved == moved { return now >= seen.since + limit }
        seen = moved.map { ($0, now) }
        return false
    }
}
