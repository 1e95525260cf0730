internal import SumCore

/// What an exporter has to say to people.
public struct OTLPReport: Hashable, Sendable {
    /// Whether something is lost, or may be.
    public var isWarning: Bool
    /// One line, in which what the collector wrote is escaped.
    public var text: String
}

/// Decides what is said about the exports of a signal. A collector that is down for a day must not fill the log.
struct ExportLog {
    /// While exports fail, there is one line in this time.
    private static let pause = Duration.seconds(60)

    private let signal: String
    private let target: String
    private var failures = 0
    private var nextLine: ContinuousClock.Instant?
    private var lastMessage = ""

    /// - Parameter signal: what is exported, in the plural.
    init(_ signal: String, to target: String) {
        (self.signal, self.target) = (signal, target.escapedForDisplay)
    }

    mutating func line(_ outcome: ExportOutcome, at now: ContinuousClock.Instant) -> OTLPReport? {
        switch outcome {
        case .failed(let status): failure(status, at: now)
        case .answered(let rejected, let message): answer(rejected, message)
        }
    }

    private mutating func failure(_ status: GRPCStatus, at now: ContinuousClock.Instant) -> OTLPReport? {
        failures += 1
        if let nextLine, now < nextLine { return nil }
        nextLine = now + Self.pause
        let count = failures == 1 ? "" : " (\(failures) times now)"
        return OTLPReport(
            isWarning: true, text: "\(signal) cannot be exported to \(target)\(count): \(status)")
    }

    private mutating func answer(_ rejected: Int64, _ message: String) -> OTLPReport? {
        defer {
            failures = 0
            nextLine = nil
        }
        // The same words with each export are said once.
        if rejected != 0 || !message.isEmpty, message != lastMessage || lastMessage.isEmpty {
            lastMessage = message.isEmpty ? " " : message
            let words = message.isEmpty ? "without a reason" : message.escapedForDisplay
            return rejected == 0
                ? OTLPReport(isWarning: false, text: "\(target) says about \(signal): \(words)")
                : OTLPReport(
                    isWarning: true, text: "\(target) has rejected \(rejected) of the \(signal): \(words)")
        }
        guard failures > 0 else { return nil }
        return OTLPReport(
            isWarning: false,
            text: "\(signal) are exported to \(target) again, after \(failures) failed attempts")
    }
}
