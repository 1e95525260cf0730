import Foundation
import ScriptedPeers
import Testing

private let rotelAgent = DeployTools.folder.appending(path: "rotel/rotel-agent").path

/// The tools with collectors of other implementations.
@Suite(.timeLimit(.minutes(10)))
struct OTLPTests {
    /// Runs a tool with variables of OpenTelemetry in its environment. Metrics are exported once, when the server ends, so
    /// that what a collector prints stays far below what a pipe holds while nobody reads it.
    private static func command(
        _ tool: String, _ arguments: [String], _ variables: [String: String]
    ) -> [String] {
        let names = [
            "TRACEPARENT": "", "TRACESTATE": "", "OTEL_BSP_SCHEDULE_DELAY": "100",
        ].merging(variables) { $1 }
        return names.map { "\($0.key)=\($0.value)" } + [Tool.directory.appending(path: tool).path] + arguments
    }

    private static func server(
        _ collector: String, _ variables: [String: String] = [:], options: [String] = []
    ) async throws -> ServerProcess {
        try await ServerProcess(
            "/usr/bin/env",
            command(
                "sum-server", ["--listen", "127.0.0.1:0"] + options,
                variables.merging(["OTEL_EXPORTER_OTLP_ENDPOINT": collector]) { old, _ in old }))
    }

    private static func client(
        _ target: String, _ variables: [String: String], connectTimeout: String = "\(Tool.limit)s"
    ) async throws -> Tool.Result {
        try await Tool.run(
            "/usr/bin/env",
            command(
                "sum-client", ["--target", target, "--connect-timeout", connectTimeout, "1", "2", "3"],
                variables))
    }

    @Test(
        "grpcio receives the spans and metrics of a server, after it was unavailable at first",
        .enabled(if: ForeignPeer.isBuilt, "make test installs the foreign peers"))
    func grpcio() async throws {
        let collector = try await ForeignPeer.server("collector.py", ["--fail", "1"])
        let server = try await Self.server(
            "http://\(collector.address)",
            ["OTEL_EXPORTER_OTLP_HEADERS": "api-key=a%20b", "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"])
        for _ in 0..<3 {
            #expect(
                try await Tool.run("sum-client", ["--target", server.address, "1", "2", "3"]).output == "6\n")
        }
        let (status, log) = await server.stop()
        #expect(status == 0)
        #expect(log.contains("UNAVAILABLE: not yet"))
        // Everything was exported before the server ended.
        let received = await collector.stop().log
        #expect(received.contains("call spans agent=OTel-OTLP-Exporter-Swift key=a b"))
        let spans = received.split(separator: "\n").filter {
            $0.hasPrefix("span sum-server Recv.tutorial.NumberService.SumNumbers ")
        }
        #expect(spans.count == 3)
        #expect(spans.allSatisfy { $0.contains(" kind=2 status=1 ") && $0.contains(" flags=101 ") })
        let method = "grpc.method=tutorial.NumberService/SumNumbers"
        #expect(received.contains("sum sum-server grpc.server.call.started {\(method)} 3\n"))
        #expect(received.contains("sum sum-server sum.server.numbers {} 9\n"))
        #expect(
            received.contains(
                "histogram sum-server grpc.server.call.duration {\(method),grpc.status=OK} 3 3 41\n"))
    }

    @Test(
        "grpcio receives spans and metrics by TLS, from those with a certificate",
        .enabled(if: ForeignPeer.isBuilt, "make test installs the foreign peers"))
    func tls() async throws {
        let path = { (name: String) in try TestCertificates.path("\(name).pem") }
        let collector = try await ForeignPeer.server(
            "collector.py", ["--cert", try path("good"), try path("good-key"), "--ca", try path("ca")])
        let variables = [
            "OTEL_EXPORTER_OTLP_CERTIFICATE": try path("ca"),
            "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": try path("good"),
            "OTEL_EXPORTER_OTLP_CLIENT_KEY": try path("good-key"),
        ]
        let server = try await Self.server("https://\(collector.address)", variables)
        #expect(
            try await Tool.run("sum-client", ["--target", server.address, "1", "2", "3"]).output == "6\n")
        #expect(await server.stop().status == 0)
        let received = await collector.stop().log
        #expect(received.contains("span sum-server Recv.tutorial.NumberService.SumNumbers "))
        #expect(received.contains("sum sum-server sum.server.numbers {} 3\n"))
    }

    @Test(
        "A client's spans arrive before it ends, under the trace of its environment, with those of the server",
        .enabled(if: ForeignPeer.isBuilt, "make test installs the foreign peers"))
    func trace() async throws {
        let collector = try await ForeignPeer.server("collector.py")
        let endpoint = "http://\(collector.address)"
        let server = try await Self.server(endpoint)
        let trace = "0af7651916cd43dd8448eb211c80319c"
        let result = try await Self.client(
            server.address,
            [
                "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_SERVICE_NAME": "script",
                "TRACEPARENT": "00-\(trace)-b7ad6b7169203331-01", "TRACESTATE": "a=b",
            ])
        #expect(result.output == "6\n")
        #expect(result.status == 0)
        #expect(result.errors == "")
        await collector.waitFor("span script Sent.tutorial.NumberService.SumNumbers trace=\(trace)")
        #expect(await server.stop().status == 0)
        let received = await collector.stop().log
        let spans = received.split(separator: "\n").filter { $0.hasPrefix("span ") }
        #expect(spans.allSatisfy { $0.contains(" trace=\(trace) ") && $0.contains(" state=a=b ") })
    }

    @Test("A client without its collector ends with the status of its call, soon")
    func noCollector() async throws {
        let server = try await ServerProcess()
        let nobody = "unix:\(Tool.temporaryPath())"
        let result = try await Self.client(server.address, ["OTEL_EXPORTER_OTLP_ENDPOINT": nobody])
        #expect(result.output == "6\n")
        #expect(result.status == 0)
        #expect(result.errors.contains("spans cannot be exported to \(nobody): UNAVAILABLE"))
        let failed = try await Self.client(
            "unix:\(Tool.temporaryPath())", ["OTEL_EXPORTER_OTLP_ENDPOINT": nobody], connectTimeout: "1s")
        #expect(failed.status == 78)
    }

    @Test("A server without its collector serves, and stops")
    func serverWithoutCollector() async throws {
        let nobody = "unix:\(Tool.temporaryPath())"
        let server = try await Self.server(nobody, ["OTEL_EXPORTER_OTLP_TIMEOUT": "500"])
        #expect(try await Tool.run("sum-client", ["--target", server.address, "1", "2"]).output == "3\n")
        await server.waitFor("spans cannot be exported to \(nobody)")
        let (status, log) = await server.stop()
        #expect(status == 0)
        #expect(log.contains("1 spans were not exported"))
    }

    @Test("An option names the collector, and what is wrong in the environment is said")
    func option() async throws {
        let server = try await Self.server(
            "",
            [
                "OTEL_BSP_MAX_QUEUE_SIZE": "many", "OTEL_EXPORTER_OTLP_TIMEOUT": "500",
                "OTEL_METRIC_EXPORT_INTERVAL": "500",
            ],
            options: ["--otlp", "unix:\(Tool.temporaryPath())"])
        await server.waitFor("OTEL_BSP_MAX_QUEUE_SIZE is not a number")
        await server.waitFor("metrics cannot be exported")
        #expect(await server.stop().status == 0)
        for tool in ["sum-server", "sum-client"] {
            let result = try await Tool.run(tool, ["--otlp", "ftp://a"])
            #expect(result.status == 64)
            #expect(result.errors.contains("http://"))
        }
    }

    @Test("OTEL_SDK_DISABLED turns everything off")
    func disabled() async throws {
        let server = try await Self.server(
            "unix:\(Tool.temporaryPath())", ["OTEL_SDK_DISABLED": "true"])
        #expect(try await Tool.run("sum-client", ["--target", server.address, "1"]).output == "1\n")
        let (status, log) = await server.stop()
        #expect(status == 0)
        #expect(!log.contains("export"))
    }

    // MARK: rotel

    /// Starts rotel on a loopback address of its own, since it cannot be asked for a free port, and waits until it listens.
    /// It prints what it receives on standard output.
    ///
    /// - Parameter kind: `traces` or `metrics`.
    private static func startRotel(_ kind: String) async throws -> (
        process: Process, output: Pipe, endpoint: String
    ) {
        let host = "127.\((0..<3).map { _ in "\(Int.random(in: 1...250))" }.joined(separator: "."))"
        let process = Tool.process(
            rotelAgent,
            [
                "start", "--otlp-grpc-endpoint", "\(host):4317", "--otlp-http-endpoint", "\(host):4318",
                "--exporter", "blackhole", "--debug-log", kind, "--debug-log-verbosity", "detailed",
                "--pid-file", Tool.temporaryPath(),
            ])
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        while try await Tool.run("/bin/bash", ["-c", ": 2>/dev/null </dev/tcp/\(host)/4317"]).status != 0 {
            try #require(process.isRunning)
            try await Task.sleep(for: .milliseconds(20))
        }
        return (process, output, "http://\(host):4317")
    }

    @Test(
        "rotel receives spans and metrics",
        .enabled(
            if: FileManager.default.fileExists(atPath: rotelAgent),
            "make test installs rotel, if PyPI can be reached"),
        arguments: [
            ("traces", ["Name           : Recv.tutorial.NumberService.SumNumbers", "SPAN_KIND_SERVER"]),
            ("metrics", ["Name: sum.server.numbers", "AGGREGATION_TEMPORALITY_CUMULATIVE"]),
        ])
    func rotel(_ kind: String, words: [String]) async throws {
        let (process, output, endpoint) = try await Self.startRotel(kind)
        defer { process.terminate() }
        let server = try await Self.server(endpoint)
        #expect(
            try await Tool.run("sum-client", ["--target", server.address, "1", "2", "3"]).output == "6\n")
        // rotel prints more than a pipe holds, so it is read while the server exports.
        async let printed = [output.read(until: words[0]), output.read(until: words[1])]
        #expect(await server.stop().status == 0)
        for (text, word) in zip(await printed, words) { #expect(text.contains(word)) }
    }
}
