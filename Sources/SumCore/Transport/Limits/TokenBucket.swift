internal import NIOCore

/// So many at once, and so many a second.
struct TokenBucket {
    let burst: Int
    let perSecond: Int
    private var tokens: Double
    private var filled: NIODeadline

    init(burst: Int, perSecond: Int, now: NIODeadline) {
        self.burst = burst
        self.perSecond = perSecond
        tokens = Double(burst)
        filled = now
    }

    /// Takes what is there.
    ///
    /// - Returns: whether it was enough.
    mutating func take(_ count: Int, at now: NIODeadline) -> Bool {
        guard count > 0 else { return true }
        let elapsed = max(0, Double((now - filled).nanoseconds) / 1e9)
        filled = now
        tokens = min(Double(burst), tokens + elapsed * Double(perSecond)) - Double(count)
        return tokens >= 0
    }

    mutating func give(_ count: Int) {
        tokens = min(Double(burst), tokens + Double(count))
    }
}
