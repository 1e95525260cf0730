import Logging
import SumCore
import SumTelemetry
import Synchronization

/// What an operator sees of the server while it runs. If nothing of it is asked for, nothing of it is made.
final class Telemetry: Sendable {
    /// To be told of connections and calls.
    let observers: [any ServerObserver]
    private let metrics: ServerMetrics?
    private let exporter: OTLPExporter?
    private let statusPage: StatusPage?
    private let listener: OperatorListener?
    private let admin: AdminServer?
    private let isReady = Readiness()

    /// Whether the server should get new calls.
    private final class Readiness: Sendable {
        let value = Atomic(false)
    }

    /// Starts to listen for whoever wants to see the pages, and to export.
    init(_ settings: ServerSettings, logger: Logger) async throws {
        var observers: [any ServerObserver] = []
        if settings.writesAccessLog {
            observers.append(AccessLog(.standardError, format: settings.logFormat))
        }
        if let address = settings.adminAddress {
            let admin = try await AdminServer(on: address, settings, logger: logger)
            observers.append(admin.channelz)
            self.admin = admin
        } else {
            admin = nil
        }
        var variables = OpenTelemetryVariables()
        let otlp = OTLPSettings(endpoint: settings.otlpEndpoint, &variables)
        let address = settings.metricsAddress
        let sampler = TraceSampler.fromEnvironment { logger.warning("\($0)") }
        guard address != nil || otlp.exportsAnything else {
            for warning in variables.warnings { logger.warning("\(warning)") }
            self.observers = observers
            (metrics, exporter, statusPage, listener) = (nil, nil, nil, nil)
            return
        }
        let resource = TelemetryResource(ofProgram: "sum-server", &variables)
        for warning in variables.warnings { logger.warning("\(warning)") }
        var registry: MetricsRegistry?
        let counts = SpanCountMetrics()
        if address != nil || otlp.metrics != nil {
            registry = MetricsRegistry(collectors: [ProcessMetrics.collect, counts.collect])
        }
        metrics = registry.map { ServerMetrics(factory: $0) }
        if let metrics { observers.append(metrics) }
        if otlp.exportsAnything {
            let snapshot = registry.map { registry in { @Sendable in registry.snapshot() } }
            let exporter = try OTLPExporter(otlp, resource: resource, metrics: snapshot) { report in
                logger.log(level: report.isWarning ? .warning : .info, "\(report.text)")
            }
            counts.show(exporter)
            if exporter.exportsSpans {
                let tracer = SpanTracer(sampler, sink: exporter)
                observers.append(ServerTracing(tracer, messageLimit: settings.tracedMessages))
            }
            self.exporter = exporter
        } else {
            exporter = nil
        }
        if let address, let registry {
            let connections = ConnectionList()
            observers.append(connections)
            let facts = StatusFacts(
                program: "sum-server", version: Version.current,
                options: StatusFacts.options(CommandLine.arguments.dropFirst()))
            let page = StatusPage(facts, connections: connections) { registry.snapshot() }
            let listener = try await OperatorListener.start(
                on: address,
                pages: [
                    .status(page), .metrics(registry, resource: resource), .liveness,
                    .readiness { [isReady] in isReady.value.load(ordering: .relaxed) },
                ], socketMode: settings.limits.unixSocketMode, logger: logger)
            // Not on standard output: programs read the addresses for gRPC there.
            logger.info("serving pages for operators", metadata: ["address": "\(listener.address)"])
            Task { await page.run() }
            (statusPage, self.listener) = (page, listener)
        } else {
            (statusPage, listener) = (nil, nil)
        }
        self.observers = observers
    }

    /// The server listens.
    func serving(at addresses: [String]) {
        isReady.value.store(true, ordering: .relaxed)
        statusPage?.show(addresses: addresses)
        admin?.channelz.listening(at: addresses)
    }

    /// The server will shut down, or does.
    func draining() {
        isReady.value.store(false, ordering: .relaxed)
        metrics?.drainAnnounced()
    }

    /// All calls have ended. Exports what is left, for which a collector has a few seconds.
    func close() async {
        await exporter?.close()
        await listener?.close()
        await admin?.close()
    }
}
