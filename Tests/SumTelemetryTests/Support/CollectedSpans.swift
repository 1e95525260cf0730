import Foundation

@testable import SumTelemetry

/// Collects spans that have ended.
final class CollectedSpans: SpanSink, @unchecked Sendable {
    // Sound because it is only used under the lock.
    private var spans: [FinishedSpan] = []
    private let lock = NSLock()

    func record(_ span: FinishedSpan) { lock.withLock { spans.append(span) } }

    /// In the order in which they ended.
    var all: [FinishedSpan] { lock.withLock { spans } }
}
