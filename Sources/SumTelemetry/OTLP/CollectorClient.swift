internal import OTLPMessages
internal import SumCore
internal import Synchronization

/// A collector, for one kind of telemetry.
final class CollectorClient: Sendable {
    private let client: GRPCClient
    private let destination: OTLPSettings.Destination
    private let log: Mutex<ExportLog>
    private let report: @Sendable (OTLPReport) -> Void

    /// - Parameter signal: what is exported, in the plural.
    init(
        _ signal: String, _ destination: OTLPSettings.Destination, client: GRPCClient,
        report: @escaping @Sendable (OTLPReport) -> Void
    ) {
        self.client = client
        self.destination = destination
        self.report = report
        log = Mutex(ExportLog(signal, to: destination.target.description))
    }

    /// A client without observers: exports are neither measured nor traced, or they would never end.
    static func client(
        _ destination: OTLPSettings.Destination, _ connectTimeout: Duration
    ) throws(TLSConfigurationError) -> GRPCClient {
        var configuration = GRPCClient.Configuration()
        configuration.connectTimeout = connectTimeout
        configuration.userAgent = "OTel-OTLP-Exporter-Swift/\(Version.current)"
        if let files = destination.tls {
            var tls = ClientTLS.Configuration()
            if let certificate = files.certificate { tls.roots = .certificates(.file(certificate)) }
            tls.identity = files.identity.map {
                TLSIdentity(certificate: .file($0.certificate), key: .file($0.key))
            }
            configuration.tls = try ClientTLS(tls)
        }
        return GRPCClient(target: destination.target, configuration: configuration)
    }

    func export(_ spans: [FinishedSpan], of resource: TelemetryResource) async -> ExportOutcome {
        await attempt { options throws(GRPCStatus) in
            let response: ExportTracesResponse = try await client.unary(
                ExportTracesRequest.path, ExportTracesRequest(spans, of: resource), options: options)
            let partial = response.partialSuccess
            return .answered(rejected: partial.rejectedSpans, message: partial.errorMessage)
        }
    }

    func export(_ snapshot: MetricsSnapshot, of resource: TelemetryResource) async -> ExportOutcome {
        await attempt { options throws(GRPCStatus) in
            let response: ExportMetricsResponse = try await client.unary(
                ExportMetricsRequest.path, ExportMetricsRequest(snapshot, of: resource), options: options)
            let partial = response.partialSuccess
            return .answered(rejected: partial.rejectedDataPoints, message: partial.errorMessage)
        }
    }

    private func attempt(
        _ call: (GRPCCallOptions) async throws(GRPCStatus) -> ExportOutcome
    ) async -> ExportOutcome {
        var options = GRPCCallOptions(timeout: destination.timeout, metadata: destination.headers)
        options.compression = destination.compression
        let outcome: ExportOutcome
        do throws(GRPCStatus) {
            outcome = try await call(options)
        } catch {
            outcome = .failed(error)
        }
        if let line = log.withLock({ $0.line(outcome, at: .now) }) { report(line) }
        return outcome
    }
}
