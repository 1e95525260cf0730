import Foundation
import ScriptedPeers
import Synchronization
import Testing

@testable import SumCore
@testable import SumTelemetry

@Suite(.timeLimit(.minutes(5))) struct OTLPExporterTests {
    /// What an exporter has reported.
    private final class Reports: Sendable {
        private let lines = Mutex<[String]>([])

        func add(_ report: OTLPReport) { lines.withLock { $0.append(report.text) } }

        var all: [String] { lines.withLock { $0 } }
    }

    private let reports = Reports()

    /// - Parameter environment: beside the endpoint.
    private func exporter(
        _ endpoint: String, _ environment: [String: String] = [:], count: Int64 = 1
    ) throws -> OTLPExporter {
        var environment = environment
        environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint
        var variables = OpenTelemetryVariables { [environment] in environment[$0] }
        let settings = OTLPSettings(&variables)
        let resource = TelemetryResource(ofProgram: "test", &variables)
        #expect(variables.warnings == [])
        return try OTLPExporter(
            settings, resource: resource,
            metrics: {
                MetricsSnapshot(
                    startTime: 1, time: 2,
                    metrics: [
                        .init(
                            name: "calls", help: "", unit: "", kind: .counter,
                            points: [.init(attributes: [], value: .integer(count))])
                    ])
            }, report: reports.add)
    }

    private static func temporaryPath() -> String {
        FileManager.default.temporaryDirectory.appending(path: "sum-\(UUID().uuidString.prefix(8))").path
    }

    /// Each test waits for what it expects, so no time limit is a margin.
    private static let patient = Duration.seconds(240)

    @Test("At the end, everything that waits is exported, in batches, and the metrics a last time")
    func close() async throws {
        let collector = InProcessCollector()
        let exporter = try exporter(try await collector.start(), ["OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "400"])
        for number in 0..<1000 { exporter.record(.sample("\(number)")) }
        await exporter.close(within: Self.patient)
        let received = collector.all
        #expect(received.spans.flatMap(\.self) == (0..<1000).map { "\($0)" })
        #expect(received.spans.allSatisfy { $0.count <= 400 })
        #expect(received.metrics == [["calls=[1]"]])
        #expect(exporter.spanCounts.exported == 1000)
        #expect(exporter.spanCounts.dropped == 0)
        #expect(reports.all == [])
        // What comes later is dropped, and closing again does nothing.
        exporter.record(.sample("late"))
        await exporter.close()
        #expect(exporter.spanCounts.dropped == 1)
        await collector.stop()
    }

    @Test("Spans and metrics leave by themselves when it is time")
    func byThemselves() async throws {
        let collector = InProcessCollector()
        let exporter = try exporter(
            try await collector.start(),
            ["OTEL_BSP_SCHEDULE_DELAY": "1", "OTEL_METRIC_EXPORT_INTERVAL": "1"])
        exporter.record(.sample("a"))
        while collector.all.spans.isEmpty || collector.all.metrics.isEmpty { await collector.wait() }
        #expect(collector.all.spans == [["a"]])
        await exporter.close(within: Self.patient)
        await collector.stop()
    }

    @Test("Headers, compression and the user agent arrive")
    func headers() async throws {
        let collector = InProcessCollector()
        let exporter = try exporter(
            try await collector.start(),
            [
                "OTEL_EXPORTER_OTLP_HEADERS": "api-key=a%2Cb", "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
                "OTEL_METRICS_EXPORTER": "none",
            ])
        exporter.record(.sample("a"))
        await exporter.close(within: Self.patient)
        let received = collector.all
        #expect(received.spans == [["a"]])
        #expect(received.metadata.map { $0["api-key"] } == [["a,b"]])
        #expect(
            received.userAgents.map { $0.split(separator: " ").first } == [
                "OTel-OTLP-Exporter-Swift/\(Version.current)"
            ])
        await collector.stop()
    }

    @Test("After UNAVAILABLE, and after RESOURCE_EXHAUSTED with a time, the same spans are sent again")
    func retries() async throws {
        let collector = InProcessCollector([
            .fail(GRPCStatus(code: .unavailable, message: "not yet")),
            .fail(try ExportRetryTests.status(.resourceExhausted, after: 1)),
        ])
        let exporter = try exporter(
            try await collector.start(), ["OTEL_METRICS_EXPORTER": "none", "OTEL_BSP_SCHEDULE_DELAY": "1"])
        exporter.record(.sample("a"))
        await collector.wait(for: 3)
        await exporter.close(within: Self.patient)
        #expect(collector.all.spans == [["a"]])
        #expect(collector.all.attempts == 3)
        #expect(exporter.spanCounts.exported == 1)
        #expect(reports.all.count == 2)
        #expect(reports.all.first?.contains("UNAVAILABLE: not yet") == true)
        #expect(reports.all.last?.hasSuffix("again, after 2 failed attempts") == true)
        await collector.stop()
    }

    @Test("What was partly accepted, or refused, is not sent again")
    func noRetries() async throws {
        let collector = InProcessCollector([
            .partialSuccess(rejected: 1, message: "too old"),
            .fail(GRPCStatus(code: .permissionDenied, message: "who are you?")),
            .partialSuccess(rejected: 1, message: "too old"),
        ])
        let exporter = try exporter(
            try await collector.start(),
            ["OTEL_METRICS_EXPORTER": "none", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "2"])
        for name in ["a", "b", "c", "d", "e", "f"] { exporter.record(.sample(name)) }
        await exporter.close(within: Self.patient)
        #expect(collector.all.spans == [["a", "b"], ["e", "f"]])
        #expect(collector.all.attempts == 3)
        #expect(exporter.spanCounts.exported == 2)
        #expect(exporter.spanCounts.refused == 4)
        #expect(reports.all.count(where: { $0.contains("too old") }) == 1)
        #expect(reports.all.count(where: { $0.contains("PERMISSION_DENIED") }) == 1)
        await collector.stop()
    }

    @Test("By TLS, with our own certificate")
    func tls() async throws {
        let path = { (name: String) in try TestCertificates.path("\(name).pem") }
        let collector = InProcessCollector()
        let tls = try ServerTLS(
            .init(
                identity: .init(certificate: .file(try path("good")), key: .file(try path("good-key"))),
                clientCAs: .file(try path("ca"))))
        let exporter = try exporter(
            try await collector.start(tls: tls),
            [
                "OTEL_EXPORTER_OTLP_CERTIFICATE": try path("ca"),
                "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": try path("good"),
                "OTEL_EXPORTER_OTLP_CLIENT_KEY": try path("good-key"),
            ])
        exporter.record(.sample("a"))
        await exporter.close(within: Self.patient)
        #expect(collector.all.spans == [["a"]])
        #expect(collector.all.metrics.count == 1)
        await collector.stop()
    }

    @Test("Files of TLS that cannot be read are an error at the beginning")
    func badFiles() throws {
        #expect(throws: TLSConfigurationError.self) {
            try exporter("https://localhost:1", ["OTEL_EXPORTER_OTLP_CERTIFICATE": "/does/not/exist"])
        }
    }

    @Test("A collector that never answers holds nobody up, and what is lost is counted")
    func hangs() async throws {
        let collector = InProcessCollector([.hang, .hang, .hang, .hang])
        let exporter = try exporter(try await collector.start(), ["OTEL_BSP_SCHEDULE_DELAY": "1"])
        exporter.record(.sample("a"))
        await collector.wait()
        exporter.record(.sample("b"))
        await exporter.close(within: .milliseconds(50))
        #expect(exporter.spanCounts.dropped == 2)
        #expect(reports.all.contains("2 spans were not exported"))
        await collector.stop()
    }

    @Test("Without a collector, closing ends in time")
    func nobody() async throws {
        let exporter = try exporter("unix:\(Self.temporaryPath())")
        exporter.record(.sample("a"))
        await exporter.close(within: .milliseconds(50))
        #expect(exporter.spanCounts.dropped == 1)
    }

    @Test("A collector that comes back gets what has waited")
    func restart() async throws {
        let path = "unix:\(Self.temporaryPath())"
        let exporter = try exporter(path, ["OTEL_BSP_SCHEDULE_DELAY": "1", "OTEL_METRICS_EXPORTER": "none"])
        exporter.record(.sample("a"))
        while reports.all.isEmpty { try await Task.sleep(for: .milliseconds(10)) }
        exporter.record(.sample("b"))
        let collector = InProcessCollector()
        _ = try await collector.start(at: path)
        while collector.all.spans.flatMap(\.self).count < 2 { await collector.wait() }
        #expect(collector.all.spans == [["a"], ["b"]])
        await exporter.close(within: Self.patient)
        #expect(exporter.spanCounts.exported == 2)
        await collector.stop()
    }

    @Test("A connection is shared if metrics and spans go to the same place, and spans alone need no metrics")
    func sink() async throws {
        let exporter = try OTLPExporter(
            OTLPSettings(),
            resource: {
                var variables = OpenTelemetryVariables { _ in nil }
                return TelemetryResource(ofProgram: "test", &variables)
            }(), report: reports.add)
        #expect(!exporter.exportsSpans)
        exporter.record(.sample("a"))
        await exporter.close()
        #expect(exporter.spanCounts == OTLPExporter.SpanCounts())
        #expect(reports.all == [])
    }
}
