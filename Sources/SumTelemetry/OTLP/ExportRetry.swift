internal import SumCore

/// How an attempt to export has ended.
enum ExportOutcome: Equatable, Sendable {
    /// The collector has answered.
    ///
    /// - Parameters:
    ///   - rejected: the points or spans that it refused.
    ///   - message: why, or what else it has to say; empty for nothing.
    case answered(rejected: Int64, message: String)
    case failed(GRPCStatus)
}

/// Decides whether a failed export is tried again, and after which pause
/// (https://opentelemetry.io/docs/specs/otlp, "Failures").
struct ExportRetry {
    /// Those that may pass by themselves. Others would fail again.
    private static let temporaryCodes: Set<GRPCStatus.Code> = [
        .cancelled, .deadlineExceeded, .aborted, .outOfRange, .unavailable, .dataLoss,
    ]
    private static let longestPause = Duration.seconds(30)
    /// What a collector may ask for.
    private static let longestAskedPause = Duration.seconds(300)

    private var backoff = Self.freshBackoff

    private static var freshBackoff: Backoff { Backoff(first: .seconds(1), longest: longestPause) }

    /// - Returns: the pause before the next attempt; nil if there is none.
    mutating func pause(after status: GRPCStatus) -> Duration? {
        // A collector that is exhausted may be asked again only if it says when.
        let mayRetry =
            Self.temporaryCodes.contains(status.code)
            || (status.code == .resourceExhausted && status.retryDelay != nil)
        guard mayRetry else { return nil }
        let pause = backoff.next()
        return status.retryDelay.map { max(min($0, Self.longestAskedPause), pause) } ?? pause
    }

    /// An export has ended: the next one begins anew.
    mutating func reset() {
        backoff = Self.freshBackoff
    }
}
