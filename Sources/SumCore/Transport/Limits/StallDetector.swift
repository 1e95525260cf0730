internal import NIOCore

/// Notices that something which should move does not. It is looked at now and then, and so a stall is found up to the
/// time between two looks late.
struct StallDetector {
    private var seen: (moved: Int, since: NIODeadline)?

    /// - Parameter moved: how much has moved so far; nil: there is nothing to move.
    /// - Returns: whether nothing has moved for as long as `limit`.
    mutating func hasLasted(_ limit: TimeAmount, moved: Int?, at now: NIODeadline) -> Bool {
        if let seen, seen.moved == moved { return now >= seen.since + limit }
        seen = moved.map { ($0, now) }
        return false
    }
}
