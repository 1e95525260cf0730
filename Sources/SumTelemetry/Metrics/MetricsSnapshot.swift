/// All metrics of a process at one moment. The Prometheus page and the OTLP export are two ways to write it.
public struct MetricsSnapshot: Sendable {
    /// Nanoseconds since 1970, when counting began. The same in all snapshots of a process.
    public var startTime: UInt64
    /// Nanoseconds since 1970, when the snapshot was made.
    public var time: UInt64
    /// One entry per name, in the order in which they are written.
    public var metrics: [Metric]

    /// Creates a snapshot.
    public init(startTime: UInt64, time: UInt64, metrics: [Metric]) {
        self.startTime = startTime
        self.time = time
        self.metrics = metrics
    }

    /// A metric with all its points.
    public struct Metric: Sendable {
        /// The name in OpenTelemetry's form, such as `grpc.server.call.started`.
        public var name: String
        /// What it measures, as one sentence.
        public var help: String
        /// The unit in UCUM, such as `s`, `By` or `{call}`; empty for none.
        public var unit: String
        /// How its values may change.
        public var kind: Kind
        /// One point per set of attributes. No two have the same.
        public var points: [Point]

        /// Creates a metric.
        public init(name: String, help: String, unit: String, kind: Kind, points: [Point]) {
            self.name = name
            self.help = help
            self.unit = unit
            self.kind = kind
            self.points = points
        }
    }

    /// How the values of a metric may change.
    public enum Kind: Hashable, Sendable {
        /// A sum that only grows.
        case counter
        /// A sum that grows and falls.
        case upDownCounter
        /// A value that is not a sum.
        case gauge
        /// Counts of values in buckets. Each bound is the largest value of its bucket; a last bucket without a bound
        /// follows.
        case histogram(bounds: [Double])
    }

    /// The value of a metric for one set of attributes.
    public struct Point: Sendable {
        /// Pairs of a name in OpenTelemetry's form and a value, in a fixed order.
        public var attributes: [Attribute]
        /// The value at the time of the snapshot.
        public var value: Value

        /// Creates a point.
        public init(attributes: [Attribute], value: Value) {
            self.attributes = attributes
            self.value = value
        }
    }

    /// A name and a value that tell points of a metric apart.
    public struct Attribute: Hashable, Sendable {
        /// The name, such as `grpc.method`.
        public var name: String
        /// The value, such as `tutorial.NumberService/SumNumbers`.
        public var value: String

        /// Creates an attribute.
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// A number, or a histogram.
    public enum Value: Hashable, Sendable {
        /// A whole number.
        case integer(Int64)
        /// A number with a fraction.
        case double(Double)
        /// How often values fell into each bucket.
        ///
        /// - Parameters:
        ///   - counts: one more than there are bounds; not cumulative.
        ///   - sum: of all values.
        case histogram(counts: [UInt64], sum: Double)
    }
}
