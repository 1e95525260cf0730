public import SumCore

/// What a process exports by OTLP, the protocol of OpenTelemetry, where to, and when. Only OTLP over gRPC is spoken.
public struct OTLPSettings: Equatable, Sendable {
    /// Where metrics go; nil if they are not exported.
    public var metrics: Destination?
    /// Where spans go; nil if they are not exported.
    public var traces: Destination?
    /// The time from one export of metrics to the next.
    public var metricInterval = Duration.seconds(60)
    /// When spans are exported, and how many wait for it.
    public var spans = SpanLimits()

    /// Creates settings that export nothing.
    public init() {}

    /// Whether anything is exported.
    public var exportsAnything: Bool { metrics != nil || traces != nil }

    /// When spans are exported, and how many wait for it.
    public struct SpanLimits: Equatable, Sendable {
        /// The longest time that a span waits for others, which are then exported with it.
        public var delay = Duration.seconds(5)
        /// Spans that may wait. When there are more, the oldest are dropped.
        public var queueSize = 2048
        /// The most spans of one export. So many are exported at once.
        public var batchSize = 512

        /// Creates the limits that OpenTelemetry has by default.
        public init() {}
    }

    /// A collector of telemetry, or whatever else speaks OTLP.
    public struct Destination: Hashable, Sendable {
        /// The port of an endpoint that names none.
        public static let defaultPort = 4317

        /// The collector.
        public var target: Target
        /// How to connect; nil for clear text.
        public var tls: TLS?
        /// Sent with each export.
        public var headers = GRPCMetadata()
        /// The compression of exports.
        public var compression = GRPCCompression.identity
        /// The time that one attempt to export may take.
        public var timeout = Duration.seconds(10)

        /// Creates a destination; without `tls` in clear text.
        public init(target: Target, tls: TLS? = nil) {
            self.target = target
            self.tls = tls
        }
    }

    /// The files of TLS.
    public struct TLS: Hashable, Sendable {
        /// The CAs of the collector's certificate; nil for those of the system.
        public var certificate: String?
        /// Our own certificate and its key; nil for none.
        public var identity: Identity?

        /// Creates the files; those not given are not used.
        public init(certificate: String? = nil, identity: Identity? = nil) {
            self.certificate = certificate
            self.identity = identity
        }
    }

    /// A certificate and its key.
    public struct Identity: Hashable, Sendable {
        /// The path of the certificate, in PEM.
        public var certificate: String
        /// The path of its key, in PEM.
        public var key: String

        /// Creates an identity of two files.
        public init(certificate: String, key: String) {
            self.certificate = certificate
            self.key = key
        }
    }
}
