import SumCore
import SumTelemetry
import Tracing

/// The spans of a run, and their export. A program that runs for the time of a call has no metrics.
struct ClientTelemetry: Sendable {
    /// How long the end of the program waits for the collector.
    private static let limit = Duration.seconds(2)

    /// To be told of calls; none if nothing is exported.
    let observers: [any ClientObserver]
    private let exporter: OTLPExporter?

    /// - Parameters:
    ///   - endpoint: in place of what the environment says; nil for that.
    ///   - warn: is given, on any thread, what the user should know.
    init(_ endpoint: OTLPEndpoint?, warn: @escaping @Sendable (String) -> Void) throws(TLSConfigurationError)
    {
        var variables = OpenTelemetryVariables()
        var settings = OTLPSettings(endpoint: endpoint, &variables)
        settings.metrics = nil
        guard settings.exportsAnything else {
            for warning in variables.warnings { warn(warning) }
            (observers, exporter) = ([], nil)
            return
        }
        let resource = TelemetryResource(ofProgram: "sum-client", &variables)
        for warning in variables.warnings { warn(warning) }
        let exporter = try OTLPExporter(settings, resource: resource, connectTimeout: .seconds(1)) { report in
            if report.isWarning { warn(report.text) }
        }
        var parent = InstrumentationContext.topLevel
        parent.span = SpanContext(environment: Environment.value)
        let tracer = SpanTracer(.fromEnvironment(warn: warn), sink: exporter)
        observers = [ClientTracing(tracer, under: parent)]
        self.exporter = exporter
    }

    /// Exports the spans of the calls, all of which have ended.
    func close() async {
        await exporter?.close(within: Self.limit)
    }
}
