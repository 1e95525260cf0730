import Foundation
import SumCore
import Testing

@testable import SumTelemetry

/// The programs of Debian's package.
private enum Prometheus {
    static let server = "/usr/bin/prometheus"
    static let tool = "/usr/bin/promtool"
    static let isInstalled = FileManager.default.isExecutableFile(atPath: server)
}

/// Prometheus as it is in Debian, and what docs/deploy gives it to do.
@Suite(.enabled(if: Prometheus.isInstalled, "make test installs Prometheus"), .timeLimit(.minutes(20)))
struct MonitoringTests {
    private static let folder = Repository.root.appending(path: "docs/deploy")

    private static func read(_ name: String) throws -> String {
        try String(contentsOf: folder.appending(path: name), encoding: .utf8)
    }

    private static func server() async throws -> (ServerProcess, pages: String) {
        let server = try await ServerProcess(
            "sum-server", ["--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"])
        let log = await server.waitFor("serving pages for operators")
        let address = try #require(log.firstMatch(of: /address=(127\.0\.0\.1:[0-9]+)/)).1
        return (server, String(address))
    }

    private static func sum(_ numbers: [Int], _ server: ServerProcess) async throws {
        let text = numbers.map { "\($0)" }.joined(separator: " ")
        _ = try await Tool.run("sum-client", ["--target", server.address], input: .text(text))
    }

    @Test("promtool finds nothing wrong with the page")
    func lint() async throws {
        let (server, pages) = try await Self.server()
        try await Self.sum([1, 2, 3], server)
        try await Self.sum([2_147_483_647, 1], server)
        let page = try await MetricsPage.wait(for: pages) { $0.total("sum_server_numbers_total") == 5 }
        let result = try await Tool.run(Prometheus.tool, ["check", "metrics"], input: .text(page.text))
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.errors == "")
    }

    @Test("The configuration and the alerts are valid, and fire when they should")
    func rules() async throws {
        for arguments in [
            ["check", "config", Self.folder.appending(path: "prometheus.yml").path],
            [
                "test", "rules",
                Repository.root.appending(path: "Tests/CommandTests/Foreign/alerts-test.yml").path,
            ],
        ] {
            let result = try await Tool.run(Prometheus.tool, arguments)
            #expect(result.status == 0, "\(result.output)\(result.errors)")
        }
    }

    /// The names of metrics in a text.
    private static func names(in text: String) -> Set<String> {
        Set(text.matches(of: /\b(grpc|sum|process)_[a-z_]+\b/).map { String($0.0) })
            .subtracting([
                "grpc_status", "grpc_method", "grpc_tls_handshake_result", "grpc_target", "sum_server",
            ])
    }

    @Test("Alerts, the dashboard and the documentation name only metrics that there are")
    func metricNames() throws {
        var known: Set<String> = ["process_cpu_seconds_total"]
        for name in ["resident_memory_bytes", "virtual_memory_bytes", "threads", "open_fds", "max_fds"] {
            known.insert("process_\(name)")
        }
        known.insert("process_start_time_seconds")
        for metric in MetricDescription.known {
            let family = PrometheusName.family(metric.name, unit: metric.unit, kind: metric.kind)
            switch metric.kind {
            case .counter: known.insert("\(family)_total")
            case .gauge, .upDownCounter: known.insert(family)
            case .histogram: known.formUnion(["_bucket", "_sum", "_count", ""].map { family + $0 })
            }
        }
        let docs = try String(
            contentsOf: Repository.root.appending(path: "docs/observing.md"), encoding: .utf8)
        for text in [try Self.read("alerts.yml"), try Self.read("grafana-dashboard.json"), docs] {
            #expect(Self.names(in: text).subtracting(known) == [])
        }
        let undocumented = MetricDescription.known.map {
            PrometheusName.family($0.name, unit: $0.unit, kind: $0.kind)
                + ($0.kind == .counter ? "_total" : "")
        }.filter { !docs.contains("`\($0)`") }
        #expect(undocumented == [], "docs/observing.md does not say what to do about them")
    }

    /// The queries of the dashboard, with the variables filled in.
    private static func dashboardQueries() throws -> [String] {
        struct Dashboard: Decodable {
            struct Panel: Decodable {
                struct Target: Decodable { var expr: String }
                var targets: [Target]
            }
            var panels: [Panel]
        }
        let dashboard = try JSONDecoder().decode(
            Dashboard.self, from: Data(try read("grafana-dashboard.json").utf8))
        return dashboard.panels.flatMap(\.targets).map { target in
            target.expr.replacing("$__rate_interval", with: "5s").replacing("$job", with: "sum-server")
                .replacing("$instance", with: ".*")
        }
    }

    @Test("Prometheus scrapes the server, knows the sum of numbers, and answers what the dashboard asks")
    func scrape() async throws {
        let (server, pages) = try await Self.server()
        let numbers = Array(1...1000)
        try await Self.sum(numbers, server)
        try await Self.sum([7], server)

        let data = Tool.temporaryPath()
        defer { try? FileManager.default.removeItem(atPath: data) }
        try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
        // Prometheus takes the configuration that we give to others, but for the address and the interval.
        let configuration = try Self.read("prometheus.yml")
            .replacing("127.0.0.1:9464", with: pages).replacing("15s", with: "1s")
        try configuration.write(toFile: "\(data)/prometheus.yml", atomically: true, encoding: .utf8)
        try Self.read("alerts.yml").write(toFile: "\(data)/alerts.yml", atomically: true, encoding: .utf8)
        let prometheus = Tool.process(
            Prometheus.server,
            [
                "--config.file=\(data)/prometheus.yml", "--storage.tsdb.path=\(data)/data",
                "--web.listen-address=127.0.0.1:0",
            ])
        let log = Pipe()
        prometheus.standardError = log
        prometheus.standardOutput = FileHandle.nullDevice
        try prometheus.run()
        defer { prometheus.terminate() }
        var text = await log.read(until: "Server is ready")
        // The two are logged by different threads.
        if !text.contains("Listening on") {
            for end in ["Listening on", "\n"] { text += await log.read(until: end) }
        }
        let address = try #require(text.firstMatch(of: /msg="Listening on" address=([0-9.]+:[0-9]+)/)).1
        func query(_ expression: String) async throws -> Tool.Result {
            try await Tool.run(Prometheus.tool, ["query", "instant", "http://\(address)", expression])
        }
        // It has scraped when the numbers are right, at the latest.
        while true {
            let result = try await query("sum(sum_server_numbers_total)")
            if result.output.contains("=> \(numbers.count + 1) @") { break }
            try #require(result.status == 0, "\(result.errors)")
            try await Task.sleep(for: .milliseconds(200))
        }
        #expect(try await query("up").output.contains("=> 1 @"))
        for expression in try Self.dashboardQueries() {
            let result = try await query(expression)
            #expect(result.status == 0, "\(expression): \(result.errors)")
        }
    }

    @Test(
        "Prometheus' strict parsers read both formats, and no counter falls over many pages under load",
        .enabled(if: ForeignPeer.isBuilt, "make test installs the foreign peers"))
    func parsers() async throws {
        let (server, pages) = try await Self.server()
        let series = CallSeries()
        let client = try series.client(of: server.address)
        try await series.run(with: client) {
            try await series.wait(for: 1)
            let count = Scale.count(50, full: 1000)
            let output = try await ForeignPeer.run("metrics.py", ["watch", pages, "\(count)"], [])
            let numbers = try #require(Int(output.dropLast()), "\(output)")
            #expect(numbers > 0)
        }
        await client.close()
        // Only now are the two pages of one state.
        #expect(Int(try await ForeignPeer.run("metrics.py", ["check", pages], []).dropLast()) ?? 0 > 80)
    }
}
