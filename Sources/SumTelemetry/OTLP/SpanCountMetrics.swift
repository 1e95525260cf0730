internal import Synchronization

/// What has become of an exporter's spans, as a metric. The metrics are made before the exporter, which exports them.
public final class SpanCountMetrics: Sendable {
    private let exporter = Mutex<OTLPExporter?>(nil)

    /// Creates the metric, which shows nothing yet.
    public init() {}

    /// Shows the spans of an exporter from now on.
    public func show(_ exporter: OTLPExporter) {
        self.exporter.withLock { $0 = exporter }
    }

    /// The metric; none without an exporter of spans.
    @Sendable public func collect() -> [MetricsSnapshot.Metric] {
        guard let exporter = exporter.withLock({ $0 }), exporter.exportsSpans else { return [] }
        let counts = exporter.spanCounts
        let points = [
            ("dropped", counts.dropped), ("exported", counts.exported), ("refused", counts.refused),
        ].map { result, count in
            MetricsSnapshot.Point(attributes: [.init("result", result)], value: .integer(Int64(count)))
        }
        return [
            MetricsSnapshot.Metric(
                name: "sum.otlp.spans", help: "Spans that were to be exported, by what became of them.",
                unit: "{span}", kind: .counter, points: points)
        ]
    }
}
