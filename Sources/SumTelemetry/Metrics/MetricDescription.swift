/// What a metric is. swift-metrics knows only names and values, so a backend needs this to write units, bounds and
/// words.
public struct MetricDescription: Sendable {
    /// The name in OpenTelemetry's form, which is the label in swift-metrics.
    public var name: String
    /// What it measures, as one sentence.
    public var help: String
    /// The unit in UCUM, such as `s`, `By` or `{call}`; empty for none.
    public var unit: String
    /// How its values may change.
    public var kind: MetricsSnapshot.Kind

    /// Creates a description.
    public init(_ name: String, _ kind: MetricsSnapshot.Kind, unit: String, help: String) {
        self.name = name
        self.help = help
        self.unit = unit
        self.kind = kind
    }
}
