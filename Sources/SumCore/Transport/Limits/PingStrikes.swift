internal import NIOCore

/// Counts the PINGs of a client that come too soon (grpc/proposal A8), as grpc-go does.
struct PingStrikes {
    /// The least time between two PINGs while there are calls, or always when `permitsWithoutCalls` is set.
    let minInterval: TimeAmount
    let permitsWithoutCalls: Bool

    /// The least time between two PINGs while there are no calls.
    static let intervalWithoutCalls = TimeAmount.hours(2)
    /// What a client is told that has sent too many.
    static let reason = "too_many_pings"
    /// PINGs that may come too soon in a row.
    static let limit = 2

    private var strikes = 0
    private var lastPing: NIODeadline?

    init(minInterval: TimeAmount, permitsWithoutCalls: Bool) {
        self.minInterval = minInterval
        self.permitsWithoutCalls = permitsWithoutCalls
    }

    /// A PING came.
    ///
    /// - Parameter hasSent: whether HEADERS or DATA have been sent since the last one. They may be what the client
    ///   measures, so all is forgiven.
    /// - Returns: whether it is one too many.
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
