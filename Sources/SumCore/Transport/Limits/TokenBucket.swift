package import NIOCore

/// A rate limit: tokens for a burst, which refill at a constant rate.
package struct TokenBucket: Sendable {
    package let burst: Int
    package let perSecond: Int
    private var tokens: Double
    private var filled: NIODeadline

    package init(burst: Int, perSecond: Int, now: NIODeadline) {
        self.burst = burst
        self.perSecond = perSecond
        tokens = Double(burst)
        filled = now
    }

    /// Takes `count` tokens. The balance may become negative.
    ///
    /// - Returns: whether there were enough.
    package mutating func take(_ count: Int, at now: NIODeadline) -> Bool {
        guard count > 0 else { return true }
        let elapsed = max(0, Double((now - filled).nanoseconds) / 1e9)
        filled = now
        tokens = min(Double(burst), tokens + elapsed * Double(perSecond)) - Double(count)
        return tokens >= 0
    }

    /// Adds `count` tokens, up to the burst.
    package mutating func give(_ count: Int) {
        tokens = min(Double(burst), tokens + Double(count))
    }
}
