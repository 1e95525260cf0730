import SumCore
import Testing

@testable import SumTelemetry

@Suite struct OTLPSettingsTests {
    private static func read(
        _ environment: [String: String], endpoint: String? = nil
    ) throws -> (settings: OTLPSettings, warnings: [String]) {
        var variables = OpenTelemetryVariables { environment[$0] }
        let endpoint = try endpoint.map { try OTLPEndpoint($0) }
        let settings = OTLPSettings(endpoint: endpoint, &variables)
        return (settings, variables.warnings)
    }

    @Test(
        "Nothing is exported unless somebody asks for it",
        arguments: [
            [:], ["OTEL_EXPORTER_OTLP_ENDPOINT": ""], ["OTEL_EXPORTER_OTLP_ENDPOINT": " "],
            ["OTEL_EXPORTER_OTLP_HEADERS": "a=b"], ["OTEL_TRACES_EXPORTER": "none"],
            ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://a", "OTEL_SDK_DISABLED": "TRUE"],
            [
                "OTEL_EXPORTER_OTLP_ENDPOINT": "http://a", "OTEL_TRACES_EXPORTER": "none",
                "OTEL_METRICS_EXPORTER": "prometheus",
            ],
        ])
    func off(_ environment: [String: String]) throws {
        let (settings, warnings) = try Self.read(environment)
        #expect(settings == OTLPSettings())
        #expect(warnings == [])
    }

    @Test(
        "Metrics and spans are asked for together or alone",
        arguments: [
            (["OTEL_EXPORTER_OTLP_ENDPOINT": "http://a"], true, true),
            (["OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://a"], true, false),
            (["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://a"], false, true),
            (["OTEL_TRACES_EXPORTER": "otlp"], false, true),
            (["OTEL_METRICS_EXPORTER": "prometheus,otlp"], true, false),
            (["OTEL_EXPORTER_OTLP_ENDPOINT": "http://a", "OTEL_METRICS_EXPORTER": "none"], false, true),
            (["OTEL_EXPORTER_OTLP_ENDPOINT": "http://a", "OTEL_SDK_DISABLED": "false"], true, true),
        ])
    func asked(_ environment: [String: String], metrics: Bool, traces: Bool) throws {
        let (settings, warnings) = try Self.read(environment)
        #expect((settings.metrics != nil, settings.traces != nil) == (metrics, traces))
        #expect(warnings == [])
    }

    @Test(
        "An endpoint says where to connect, and whether by TLS",
        arguments: [
            ("http://collector:4318", "dns:///collector:4318", false),
            ("http://collector", "dns:///collector", false), ("HTTPS://collector/", "dns:///collector", true),
            ("http://[::1]:4317", "dns:///[::1]:4317", false),
            ("http://unix:4317", "dns:///unix:4317", false),
            ("unix:/run/otel.sock", "unix:/run/otel.sock", false),
            ("unix:///run/otel.sock", "unix:///run/otel.sock", false),
            ("collector:4317", "collector:4317", true), ("dns:///collector", "dns:///collector", true),
        ])
    func endpoint(_ text: String, target: String, usesTLS: Bool) throws {
        let (settings, warnings) = try Self.read(["OTEL_EXPORTER_OTLP_ENDPOINT": text])
        let expected = OTLPSettings.Destination(
            target: try Target(target, defaultPort: 4317), tls: usesTLS ? .init() : nil)
        #expect(settings.metrics == expected)
        #expect(settings.traces == expected)
        #expect(warnings == [])
    }

    @Test("A target of gRPC is reached in clear text only if that is asked for")
    func insecure() throws {
        let (settings, _) = try Self.read([
            "OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4317", "OTEL_EXPORTER_OTLP_INSECURE": "True",
        ])
        #expect(settings.metrics?.tls == nil)
        let (https, _) = try Self.read([
            "OTEL_EXPORTER_OTLP_ENDPOINT": "https://collector:4317", "OTEL_EXPORTER_OTLP_INSECURE": "true",
        ])
        #expect(https.metrics?.tls == .init())
    }

    @Test(
        "Other texts are no endpoint, and then nothing is exported",
        arguments: [
            "ftp://a", "http://", "http:///v1", "http://a:b", "http://user:secret@a", "a:70000", "unix:",
        ])
    func noEndpoint(_ text: String) throws {
        let (settings, warnings) = try Self.read(["OTEL_EXPORTER_OTLP_ENDPOINT": text])
        #expect(settings == OTLPSettings())
        #expect(warnings.count == 2)
        #expect(warnings.allSatisfy { $0.hasPrefix("OTEL_EXPORTER_OTLP_ENDPOINT is no endpoint") })
        #expect(warnings.allSatisfy { !$0.contains("secret") })
        #expect(throws: OTLPEndpoint.Invalid.self) { try OTLPEndpoint(text) }
    }

    @Test("A path is for HTTP alone, and is ignored")
    func path() throws {
        let (settings, warnings) = try Self.read(["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://a/v1/traces"])
        #expect(settings.traces?.target.description == "dns:///a")
        #expect(
            warnings == [
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT has the path '/v1/traces', which gRPC has no use for"
            ])
    }

    @Test("An option replaces the endpoints of the environment")
    func option() throws {
        let (settings, _) = try Self.read(
            ["OTEL_EXPORTER_OTLP_ENDPOINT": "https://a", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "ftp://b"],
            endpoint: "http://c")
        #expect(settings.metrics?.target.description == "dns:///c")
        #expect(settings.traces == settings.metrics)
        let (none, _) = try Self.read(["OTEL_METRICS_EXPORTER": "none"], endpoint: "http://c")
        #expect(none.metrics == nil)
        let (disabled, warnings) = try Self.read(["OTEL_SDK_DISABLED": "true"], endpoint: "http://c")
        #expect(disabled == OTLPSettings())
        #expect(warnings == ["OTEL_SDK_DISABLED is true: nothing is exported"])
    }

    @Test("Variables of a signal take precedence over the general ones")
    func signals() throws {
        let general = [
            "ENDPOINT": "https://a", "HEADERS": "k=a", "COMPRESSION": "gzip", "TIMEOUT": "1000",
            "CERTIFICATE": "/a", "CLIENT_CERTIFICATE": "/b", "CLIENT_KEY": "/c",
        ]
        var environment: [String: String] = [:]
        for (name, value) in general { environment["OTEL_EXPORTER_OTLP_\(name)"] = value }
        let own = [
            "ENDPOINT": "https://b", "HEADERS": "l=b", "COMPRESSION": "none", "TIMEOUT": "2000",
            "CERTIFICATE": "/d", "CLIENT_CERTIFICATE": "/e", "CLIENT_KEY": "/f",
        ]
        for (name, value) in own { environment["OTEL_EXPORTER_OTLP_TRACES_\(name)"] = value }
        let (settings, warnings) = try Self.read(environment)
        #expect(warnings == [])
        let metrics = try #require(settings.metrics)
        let traces = try #require(settings.traces)
        #expect(metrics.headers["k"] == ["a"])
        #expect(traces.headers.fields.map(\.key) == ["l"])
        #expect((metrics.compression, traces.compression) == (.gzip, .identity))
        #expect((metrics.timeout, traces.timeout) == (.seconds(1), .seconds(2)))
        #expect(
            metrics.tls == .init(certificate: "/a", identity: .init(certificate: "/b", key: "/c")))
        #expect(traces.tls == .init(certificate: "/d", identity: .init(certificate: "/e", key: "/f")))
    }

    @Test("Times and sizes")
    func limits() throws {
        let (defaults, _) = try Self.read(["OTEL_EXPORTER_OTLP_ENDPOINT": "http://a"])
        #expect(defaults.metrics?.timeout == .seconds(10))
        #expect(defaults.metricInterval == .seconds(60))
        #expect((defaults.spans.delay, defaults.spans.queueSize) == (.seconds(5), 2048))
        #expect(defaults.spans.batchSize == 512)
        let (settings, warnings) = try Self.read([
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://a", "OTEL_METRIC_EXPORT_INTERVAL": " 1500 ",
            "OTEL_METRIC_EXPORT_TIMEOUT": "700", "OTEL_BSP_SCHEDULE_DELAY": "50",
            "OTEL_BSP_MAX_QUEUE_SIZE": "9", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "3",
            "OTEL_BSP_EXPORT_TIMEOUT": "30000",
        ])
        #expect(warnings == [])
        #expect(settings.metricInterval == .milliseconds(1500))
        #expect((settings.metrics?.timeout, settings.traces?.timeout) == (.milliseconds(700), .seconds(10)))
        #expect((settings.spans.delay, settings.spans.queueSize) == (.milliseconds(50), 9))
        #expect(settings.spans.batchSize == 3)
    }

    @Test("A batch is never larger than the queue")
    func batch() throws {
        let (small, none) = try Self.read(["OTEL_BSP_MAX_QUEUE_SIZE": "10"])
        #expect(small.spans.batchSize == 10)
        #expect(none == [])
        let (settings, warnings) = try Self.read([
            "OTEL_BSP_MAX_QUEUE_SIZE": "10", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "11",
        ])
        #expect(settings.spans.batchSize == 10)
        #expect(warnings == ["OTEL_BSP_MAX_EXPORT_BATCH_SIZE is larger than the queue, which has 10"])
    }

    @Test(
        "A value that cannot be used is ignored with a warning",
        arguments: [
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd", "is 'zstd', which is ignored; known are gzip, none"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", "is 'http/json', which is ignored; known are grpc"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s", "is not a number from 1 to 2147483647, and is ignored"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "0", "is not a number from 1 to 2147483647, and is ignored"),
            ("OTEL_BSP_SCHEDULE_DELAY", "-1", "is not a number from 1 to 2147483647, and is ignored"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "9999999999", "is not a number from 1 to 2147483647, and is ignored"),
            ("OTEL_TRACES_EXPORTER", "zip\u{1b}kin", #"names 'zip\u{1B}kin', which is unknown and ignored"#),
            ("OTEL_SDK_DISABLED", "yes", "is neither 'true' nor 'false', and counts as 'false'"),
            (
                "OTEL_EXPORTER_OTLP_HEADERS", "a=b,secret",
                "is ignored: member 2 of the list is not 'name=value'"
            ),
            (
                "OTEL_EXPORTER_OTLP_HEADERS", "te=secret",
                "has the header 'te', which cannot be sent: it is reserved, or its value is not printable ASCII"
            ),
        ])
    func ignored(_ name: String, value: String, warning: String) throws {
        let (settings, warnings) = try Self.read([
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://a", name: value,
        ])
        #expect(warnings == ["\(name) \(warning)"])
        var expected = OTLPSettings()
        expected.traces = .init(target: try Target("dns:///a", defaultPort: 4317))
        #expect(settings == expected)
    }

    @Test("Half an identity is ignored", arguments: ["CERTIFICATE", "KEY"])
    func halfIdentity(_ half: String) throws {
        let (settings, warnings) = try Self.read([
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://a", "OTEL_EXPORTER_OTLP_CLIENT_\(half)": "/a",
        ])
        #expect(settings.traces?.tls == .init())
        let other = half == "KEY" ? "CERTIFICATE" : "KEY"
        #expect(
            warnings == [
                "OTEL_EXPORTER_OTLP_CLIENT_\(half) is ignored without OTEL_EXPORTER_OTLP_CLIENT_\(other)"
            ])
    }

    @Test(
        "Lists have the percent-encoding of W3C Baggage",
        arguments: [
            ("a=b", ["a": "b"]), (" a = b , c=d=e ,", ["a": "b", "c": "d=e"]),
            ("a=b%2Cc%20d%3D", ["a": "b,c d="]), ("a%20=%C3%BC", ["a ": "ü"]), ("a=", ["a": ""]),
            ("a=100%", ["a": "100%"]), ("authorization=Basic dTpw", ["authorization": "Basic dTpw"]),
        ])
    func lists(_ text: String, pairs: [String: String]) {
        var variables = OpenTelemetryVariables { _ in text }
        let list = variables.list("L") ?? []
        #expect(Dictionary(list.map { ($0.name, $0.value) }) { $1 } == pairs)
        #expect(list.count == pairs.count)
        #expect(variables.warnings == [])
    }

    @Test("Not a list", arguments: ["a", "=b", "a=b,,c", "%"])
    func notLists(_ text: String) {
        var variables = OpenTelemetryVariables { _ in text }
        let list = variables.list("L")
        #expect(list == nil)
        #expect(variables.warnings.count == 1)
    }
}
