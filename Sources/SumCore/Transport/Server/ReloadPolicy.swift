internal import NIOCore

/// Decides what is logged about something that is read again and again.
struct ReloadPolicy {
    /// Why it is read.
    enum Cause {
        /// The time has come.
        case time
        /// An operator has asked.
        case request
    }

    enum Outcome: Equatable {
        case changed(summary: String)
        case unchanged
        case failed(String)
    }

    enum Line: Equatable {
        case info(String)
        case warning(String)
    }

    /// How often a warning is repeated.
    private static let warningInterval = TimeAmount.hours(24)

    /// The failure of the last time; nil if it succeeded.
    private var failure: String?
    private var loggedFailure: String?
    private var nextWarning = NIODeadline.distantPast
    private var warning: String?

    mutating func lines(
        _ outcome: Outcome, _ cause: Cause, warning: String?, at now: NIODeadline
    ) -> [Line] {
        var lines: [Line] = []
        switch outcome {
        case .changed(let summary):
            (failure, loggedFailure) = (nil, nil)
            lines.append(.info("reloaded: \(summary)"))
        case .unchanged:
            (failure, loggedFailure) = (nil, nil)
            if cause == .request { lines.append(.info("nothing to reload: no file has changed")) }
        case .failed(let reason):
            // The first failure may only mean that the files are being written.
            let isNews = failure != nil && loggedFailure != reason
            if cause == .request || isNews {
                lines.append(.warning("not reloaded, what was in use stays: \(reason)"))
                loggedFailure = reason
            }
            failure = reason
        }
        if let warning, warning != self.warning || now >= nextWarning {
            lines.append(.warning(warning))
            nextWarning = now + Self.warningInterval
        }
        self.warning = warning
        return lines
    }
}
