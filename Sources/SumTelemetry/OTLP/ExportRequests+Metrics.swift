internal import OTLPMessages

private typealias Metric = Opentelemetry_Proto_Metrics_V1_Metric
private typealias NumberPoint = Opentelemetry_Proto_Metrics_V1_NumberDataPoint
private typealias HistogramPoint = Opentelemetry_Proto_Metrics_V1_HistogramDataPoint

extension Opentelemetry_Proto_Metrics_V1_Metric {
    /// Sums and histograms are cumulative: since the beginning of the process, which collectors recognize by the start
    /// time.
    init(_ metric: MetricsSnapshot.Metric, in snapshot: MetricsSnapshot) {
        self.init()
        name = metric.name
        description_p = metric.help
        unit = metric.unit
        switch metric.kind {
        case .counter, .upDownCounter:
            sum.aggregationTemporality = .cumulative
            sum.isMonotonic = metric.kind == .counter
            sum.dataPoints = metric.points.map { NumberPoint($0, snapshot, startTime: snapshot.startTime) }
        case .gauge:
            gauge.dataPoints = metric.points.map { NumberPoint($0, snapshot, startTime: 0) }
        case .histogram(let bounds):
            histogram.aggregationTemporality = .cumulative
            histogram.dataPoints = metric.points.map { HistogramPoint($0, bounds, snapshot) }
        }
    }
}

extension NumberPoint {
    /// - Parameter startTime: 0 for what has no beginning.
    fileprivate init(_ point: MetricsSnapshot.Point, _ snapshot: MetricsSnapshot, startTime: UInt64) {
        self.init()
        attributes = point.attributes.map { .init($0) }
        (startTimeUnixNano, timeUnixNano) = (startTime, snapshot.time)
        switch point.value {
        case .integer(let number): asInt = number
        case .double(let number): asDouble = number
        // No metric of numbers has such a point.
        case .histogram: break
        }
    }
}

extension HistogramPoint {
    fileprivate init(_ point: MetricsSnapshot.Point, _ bounds: [Double], _ snapshot: MetricsSnapshot) {
        self.init()
        attributes = point.attributes.map { .init($0) }
        (startTimeUnixNano, timeUnixNano) = (snapshot.startTime, snapshot.time)
        guard case .histogram(let counts, let total) = point.value else { return }
        (bucketCounts, explicitBounds) = (counts, bounds)
        count = counts.reduce(0, &+)
        sum = total
    }
}
