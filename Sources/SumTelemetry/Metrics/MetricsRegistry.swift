public import CoreMetrics
internal import Synchronization

/// A backend of swift-metrics that keeps everything in this process, to be read as one snapshot.
///
/// Making a handler takes a lock; recording takes none. Handlers of the same label and dimensions, in whatever order,
/// are the same object. A label belongs to the kind of instrument for which it was first used: what other kinds record
/// under it is ignored, since a name can have only one type. Beyond 2,000 series of one metric, further ones are counted
/// together, in a series with the attribute `otel.metric.overflow` (OpenTelemetry's SDK, "Cardinality limits").
public final class MetricsRegistry: MetricsFactory {
    /// Makes metrics when a snapshot is taken, such as those of the process. Called on the thread that takes it.
    public typealias Collector = @Sendable () -> [MetricsSnapshot.Metric]

    /// The kinds of instruments in swift-metrics.
    private enum Instrument {
        case counter, floatingPointCounter, meter, gauge, recorder, timer
    }

    private struct Family {
        var instrument: Instrument
        var description: MetricDescription
        var cells: [[MetricsSnapshot.Attribute]: any MetricCell] = [:]
    }

    private static let seriesLimit = 2000

    private let startTime = WallClock.now
    private let descriptions: [String: MetricDescription]
    private let collectors: [Collector]
    private let families = Mutex<[String: Family]>([:])

    /// - Parameters:
    ///   - descriptions: of metrics that may be recorded. Others get bounds and units by the kind of instrument.
    ///   - collectors: add metrics to each snapshot.
    public init(
        descriptions: [MetricDescription] = MetricDescription.known, collectors: [Collector] = []
    ) {
        self.descriptions = Dictionary(
            descriptions.map { ($0.name, $0) }, uniquingKeysWith: { _, last in last })
        self.collectors = collectors
    }

    // MARK: Reading

    /// All metrics as they are now. It takes longer the more series there are: do not call it on an event loop.
    public func snapshot() -> MetricsSnapshot {
        let families = families.withLock { Array($0.values) }
        var metrics = families.map { family in
            MetricsSnapshot.Metric(
                name: family.description.name, help: family.description.help, unit: family.description.unit,
                kind: family.description.kind,
                points: family.cells.values.map { .init(attributes: $0.identity.attributes, value: $0.value) }
                    .sorted {
                        $0.attributes.lexicographicallyPrecedes($1.attributes) {
                            ($0.name, $0.value) < ($1.name, $1.value)
                        }
                    })
        }
        let names = Set(metrics.map(\.name))
        for collector in collectors { metrics += collector().filter { !names.contains($0.name) } }
        metrics.sort { $0.name < $1.name }
        return MetricsSnapshot(startTime: startTime, time: max(WallClock.now, startTime), metrics: metrics)
    }

    // MARK: Making handlers

    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        cell(label, dimensions, .counter) { identity, _ in CounterCell(identity) }
            ?? NOOPMetricsHandler.instance
    }

    public func makeFloatingPointCounter(label: String, dimensions: [(String, String)])
        -> any FloatingPointCounterHandler
    {
        cell(label, dimensions, .floatingPointCounter) { identity, _ in
            NumberCell(identity, isMonotonic: true)
        }
            ?? NOOPMetricsHandler.instance
    }

    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        cell(label, dimensions, .meter) { identity, _ in NumberCell(identity) } ?? NOOPMetricsHandler.instance
    }

    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool)
        -> any RecorderHandler
    {
        guard aggregate else {
            return cell(label, dimensions, .gauge) { identity, _ in NumberCell(identity) }
                ?? NOOPMetricsHandler.instance
        }
        return cell(label, dimensions, .recorder) { HistogramCell($0, bounds: $1.bounds) }
            ?? NOOPMetricsHandler.instance
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        cell(label, dimensions, .timer) {
            HistogramCell($0, bounds: $1.bounds, scale: Self.nanoseconds(in: $1.unit))
        } ?? NOOPMetricsHandler.instance
    }

    /// - Returns: nil if the label belongs to another kind of instrument.
    private func cell<Cell: MetricCell>(
        _ label: String, _ dimensions: [(String, String)], _ instrument: Instrument,
        _ make: (MetricIdentity, MetricDescription) -> Cell
    ) -> Cell? {
        var attributes = Self.attributes(dimensions)
        return families.withLock { families in
            var family =
                families[label]
                ?? Family(instrument: instrument, description: describe(label, instrument))
            guard family.instrument == instrument else { return nil }
            if let cell = family.cells[attributes] { return cell as? Cell }
            if family.cells.count >= Self.seriesLimit - 1 {
                attributes = [.init("otel.metric.overflow", "true")]
                if let cell = family.cells[attributes] { return cell as? Cell }
            }
            let cell = make(MetricIdentity(name: label, attributes: attributes), family.description)
            family.cells[attributes] = cell
            families[label] = family
            return cell
        }
    }

    /// Sorted by name. Of several with the same name, the last counts.
    private static func attributes(_ dimensions: [(String, String)]) -> [MetricsSnapshot.Attribute] {
        let values = Dictionary(dimensions, uniquingKeysWith: { _, last in last })
        return values.map { .init($0.key, $0.value) }.sorted { $0.name < $1.name }
    }

    // MARK: Describing

    private func describe(_ label: String, _ instrument: Instrument) -> MetricDescription {
        if let known = descriptions[label], Self.fits(known.kind, instrument) { return known }
        let (kind, unit): (MetricsSnapshot.Kind, String) =
            switch instrument {
            case .counter, .floatingPointCounter: (.counter, "")
            case .meter, .gauge: (.gauge, "")
            case .recorder: (.histogram(bounds: HistogramBounds.count), "")
            case .timer: (.histogram(bounds: HistogramBounds.latency), "s")
            }
        return MetricDescription(label, kind, unit: unit, help: "(no description)")
    }

    private static func fits(_ kind: MetricsSnapshot.Kind, _ instrument: Instrument) -> Bool {
        switch (kind, instrument) {
        case (.counter, .counter), (.counter, .floatingPointCounter), (.histogram, .recorder),
            (.histogram, .timer), (.gauge, .meter), (.gauge, .gauge), (.upDownCounter, .meter):
            true
        default: false
        }
    }

    private static func nanoseconds(in unit: String) -> Double {
        switch unit {
        case "ns": 1
        case "us": 1e3
        case "ms": 1e6
        default: 1e9
        }
    }

    // MARK: Removing

    public func destroyCounter(_ handler: any CounterHandler) { remove(handler) }

    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { remove(handler) }

    public func destroyMeter(_ handler: any MeterHandler) { remove(handler) }

    public func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }

    public func destroyTimer(_ handler: any TimerHandler) { remove(handler) }

    private func remove(_ handler: AnyObject) {
        guard let cell = handler as? any MetricCell else { return }
        families.withLock { families in
            let identity = cell.identity
            guard families[identity.name]?.cells[identity.attributes] === cell else { return }
            families[identity.name]?.cells[identity.attributes] = nil
            if families[identity.name]?.cells.isEmpty == true { families[identity.name] = nil }
        }
    }
}

extension MetricDescription {
    fileprivate var bounds: [Double] {
        if case .histogram(let bounds) = kind { bounds } else { [] }
    }
}
