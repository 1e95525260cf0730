internal import NIOCore

/// Counts the PINGs of a client that come too soon, as gRPC servers do (grpc/proposal A8), with grpc-go's rules.
struct PingStrikes {
    /// The shortest interval between two PINGs while there are calls, or always if `permitsWithoutCalls` is set.
    let minInterval: TimeAmount
    let permitsWithoutCalls: Bool

    /// The shortest interval between two PINGs while there are no calls.
    static let intervalWithoutCalls = TimeAmount.hours(2)
    /// The debug data of the GOAWAY for too many PINGs.
    static let reason = "too_many_pings"
    /// PINGs in a row that may come too soon.
    static let limit = 2

    private var strikes = 0
    private var lastPing: NIODeadline?

    init(minInterval: TimeAmount, permitsWithoutCalls: Bool) {
        self.minInterval = minInterval
        self.permitsWithoutCalls = permitsWithoutCalls
    }

    /// Counts a PING.
    ///
    /// - Parameters:
    ///   - now: the current time.
    ///   - hasCalls: whether calls are open.
    ///   - hasSent: whether HEADERS or DATA have been sent since the last PING. The client may be measuring bandwidth
    ///     with its PINGs, so that resets the count.
    /// - Returns: whether there have been too many.
    mutating func ping(at now: NIODeadline, hasCalls: Bool, hasSent: Bool) -> Bool {
        defer { lastPing = now }
        if hasSent {
            strikes = 0
            return false
        }
        let interval = hasCalls || permitsWithoutCalls ? minInterval : Self.intervalWithoutCalls
        if let lastPing, now < lastPing + interval { strikes += 1 }
        return strikes > Self.limit
    }
}
