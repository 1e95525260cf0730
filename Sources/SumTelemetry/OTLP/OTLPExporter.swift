public import SumCore
internal import Synchronization

/// Exports the metrics and spans of a process by OTLP, with this package's own client of gRPC, which is neither measured
/// nor traced.
///
/// Nothing about a collector holds up anybody else: spans wait in a queue that is bounded, and failures are reported.
public final class OTLPExporter: Sendable {
    /// What has become of the spans.
    public struct SpanCounts: Hashable, Sendable {
        /// Spans that the collector has accepted.
        public var exported = 0
        /// Spans that the collector has refused.
        public var refused = 0
        /// Spans that were given up: the queue was full, or the process ended before the collector could be reached.
        public var dropped = 0
    }

    private let clients: [GRPCClient]
    private let spans: ExportWorker<SpanExport>?
    private let metrics: ExportWorker<MetricExport>?
    private let tasks: [Task<Void, Never>]
    private let report: @Sendable (OTLPReport) -> Void

    /// Creates an exporter, which begins to export.
    ///
    /// - Parameters:
    ///   - settings: what goes where, and when.
    ///   - resource: the process, as it is named in each export.
    ///   - snapshot: makes a snapshot of the metrics, on any thread; nil if there are none.
    ///   - connectTimeout: how long an attempt to connect may take.
    ///   - report: is told, on any thread, what people should know.
    /// - Throws: if files of TLS cannot be used. Reading them may block.
    public init(
        _ settings: OTLPSettings, resource: TelemetryResource,
        metrics snapshot: (@Sendable () -> MetricsSnapshot)? = nil,
        connectTimeout: Duration = .seconds(5), report: @escaping @Sendable (OTLPReport) -> Void
    ) throws(TLSConfigurationError) {
        self.report = report
        var clients: [OTLPSettings.Destination: GRPCClient] = [:]
        func collector(
            _ signal: String, _ destination: OTLPSettings.Destination
        ) throws(TLSConfigurationError) -> CollectorClient {
            // One connection, if both go to the same place.
            let client =
                if let client = clients[destination] {
                    client
                } else {
                    try CollectorClient.client(destination, connectTimeout)
                }
            clients[destination] = client
            return CollectorClient(signal, destination, client: client, report: report)
        }
        var tasks: [Task<Void, Never>] = []
        if let destination = settings.traces {
            let collector = try collector("spans", destination)
            let worker = ExportWorker(SpanExport(settings.spans)) { batch in
                await collector.export(batch, of: resource)
            }
            spans = worker
            tasks.append(Task { await worker.run() })
        } else {
            spans = nil
        }
        if let destination = settings.metrics, let snapshot {
            let collector = try collector("metrics", destination)
            let schedule = MetricExport(every: settings.metricInterval, from: .now)
            let worker = ExportWorker(schedule) { await collector.export(snapshot(), of: resource) }
            metrics = worker
            tasks.append(Task { await worker.run() })
        } else {
            metrics = nil
        }
        self.clients = Array(clients.values)
        self.tasks = tasks
    }

    /// Whether spans are exported; if not, `record` drops them.
    public var exportsSpans: Bool { spans != nil }

    /// What has become of the spans so far.
    public var spanCounts: SpanCounts { spans?.read(\.counts) ?? SpanCounts() }

    /// Exports what is left: the spans that wait, and the metrics once more. Then ends.
    ///
    /// - Parameter limit: the time after which it is given up.
    public func close(within limit: Duration = .seconds(5)) async {
        let deadline = ContinuousClock.now + limit
        spans?.close(by: deadline)
        metrics?.close(by: deadline)
        let timer = Task { [tasks] in
            guard (try? await Task.sleep(until: deadline)) != nil else { return }
            for task in tasks { task.cancel() }
        }
        for task in tasks { await task.value }
        timer.cancel()
        for client in clients { await client.close() }
        let dropped = spanCounts.dropped
        if dropped > 0 {
            report(OTLPReport(isWarning: true, text: "\(dropped) spans were not exported"))
        }
    }
}

extension OTLPExporter: SpanSink {
    public func record(_ span: FinishedSpan) {
        spans?.update { $0.add(span, at: .now) }
    }
}
