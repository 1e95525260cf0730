internal import CoreMetrics
internal import Synchronization

/// A counter with one label whose values are few, and known to us only. Each has its series when it first occurs.
///
/// For rare events: it takes a lock.
final class LabelledCounter: Sendable {
    private let name: String
    private let label: String
    private let factory: any MetricsFactory
    private let counters = Mutex<[String: Counter]>([:])
    private let dimensions: [(String, String)]

    /// - Parameter dimensions: labels that are always the same.
    init(
        _ name: String, _ label: String, dimensions: [(String, String)] = [], _ factory: any MetricsFactory
    ) {
        self.name = name
        self.label = label
        self.dimensions = dimensions
        self.factory = factory
    }

    func increment(_ value: String) {
        counters.withLock { counters in
            if let known = counters[value] { return known }
            let new = Counter(label: name, dimensions: dimensions + [(label, value)], factory: factory)
            counters[value] = new
            return new
        }.increment()
    }
}
