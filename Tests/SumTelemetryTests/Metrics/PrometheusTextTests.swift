import SumTelemetry
import Testing

@testable import SumTelemetry

@Suite struct PrometheusTextTests {
    private static let scope = InstrumentationScope(name: "sum", version: "1")
    private static let labels = #"otel_scope_name="sum",otel_scope_version="1""#

    private static func page(
        _ format: PrometheusFormat, _ metrics: [MetricsSnapshot.Metric],
        resource: TelemetryResource? = nil
    ) -> String {
        PrometheusText(format, resource: resource, scope: scope)
            .page(MetricsSnapshot(startTime: 1, time: 2, metrics: metrics))
    }

    private static func counter(
        _ name: String, help: String = "Help.", unit: String = "{call}",
        _ attributes: [MetricsSnapshot.Attribute] = [], _ value: Int64 = 1
    ) -> MetricsSnapshot.Metric {
        .init(
            name: name, help: help, unit: unit, kind: .counter,
            points: [.init(attributes: attributes, value: .integer(value))])
    }

    @Test("A counter in both formats")
    func counters() {
        let metrics = [Self.counter("grpc.server.call.started", [.init("grpc.method", "a/b")], 12_345_678)]
        #expect(
            Self.page(.text, metrics) == """
                # HELP grpc_server_call_started_total Help.
                # TYPE grpc_server_call_started_total counter
                grpc_server_call_started_total{grpc_method="a/b",\(Self.labels)} 12345678

                """)
        #expect(
            Self.page(.openMetrics, metrics) == """
                # HELP grpc_server_call_started Help.
                # TYPE grpc_server_call_started counter
                grpc_server_call_started_total{grpc_method="a/b",\(Self.labels)} 12345678
                # EOF

                """)
    }

    @Test("A histogram's buckets are cumulative, and the last is the count")
    func histograms() {
        let metric = MetricsSnapshot.Metric(
            name: "d", help: "D.", unit: "s", kind: .histogram(bounds: [0.00001, 1]),
            points: [.init(attributes: [], value: .histogram(counts: [1, 0, 2], sum: 7.25))])
        #expect(
            Self.page(.text, [metric]) == """
                # HELP d_seconds D.
                # TYPE d_seconds histogram
                d_seconds_bucket{\(Self.labels),le="1e-05"} 1
                d_seconds_bucket{\(Self.labels),le="1"} 1
                d_seconds_bucket{\(Self.labels),le="+Inf"} 3
                d_seconds_sum{\(Self.labels)} 7.25
                d_seconds_count{\(Self.labels)} 3

                """)
        #expect(
            Self.page(.openMetrics, [metric]) == """
                # HELP d_seconds D.
                # TYPE d_seconds histogram
                # UNIT d_seconds seconds
                d_seconds_bucket{\(Self.labels),le="1e-05"} 1
                d_seconds_bucket{\(Self.labels),le="1.0"} 1
                d_seconds_bucket{\(Self.labels),le="+Inf"} 3
                d_seconds_sum{\(Self.labels)} 7.25
                d_seconds_count{\(Self.labels)} 3
                # EOF

                """)
    }

    @Test("Gauges, and the target with its resource")
    func gauges() {
        let metric = MetricsSnapshot.Metric(
            name: "open", help: "O.", unit: "", kind: .upDownCounter,
            points: [.init(attributes: [], value: .double(-0.5))])
        var variables = OpenTelemetryVariables {
            $0 == "OTEL_RESOURCE_ATTRIBUTES" ? "service.instance.id=i,host.name=h" : nil
        }
        let resource = TelemetryResource(ofProgram: "sum", &variables)
        let labels = resource.attributes.map { attribute in
            let name = attribute.name.map { $0 == "." ? "_" : "\($0)" }.joined()
            return switch attribute.value {
            case .string(let value): "\(name)=\"\(value)\""
            case .integer(let value): "\(name)=\"\(value)\""
            default: ""
            }
        }.joined(separator: ",")
        #expect(labels.contains("service_instance_id=\"i\""))
        #expect(
            Self.page(.text, [metric], resource: resource) == """
                # HELP open O.
                # TYPE open gauge
                open{\(Self.labels)} -0.5
                # HELP target_info What is measured.
                # TYPE target_info gauge
                target_info{\(labels)} 1

                """)
        #expect(
            Self.page(.openMetrics, [], resource: resource) == """
                # HELP target What is measured.
                # TYPE target info
                target_info{\(labels)} 1
                # EOF

                """)
    }

    @Test("Quotes, backslashes and line ends are escaped; everything else is written as it is")
    func escaping() {
        let metrics = [Self.counter("c", help: "a\\b\nc\"d", [.init("l", "a\\b\nc\"d\r\u{0}é")])]
        #expect(
            Self.page(.text, metrics) == """
                # HELP c_total a\\\\b\\nc"d
                # TYPE c_total counter
                c_total{l="a\\\\b\\nc\\"d\r\u{0}é",\(Self.labels)} 1

                """)
        #expect(Self.page(.openMetrics, metrics).contains("# HELP c a\\\\b\\nc\\\"d\n"))
        // A carriage return and a line feed are one character to Swift.
        let line = Self.page(.text, [Self.counter("c", [.init("l", "a\r\nb")])])
        #expect(line.utf8.filter { $0 == UInt8(ascii: "\n") }.count == 3)
    }

    @Test("Names that become one: a family is there once, labels are joined")
    func collisions() {
        let page = Self.page(
            .text,
            [Self.counter("a.b", [.init("x.y", "1"), .init("x_y", "2")]), Self.counter("a_b")])
        #expect(page.contains(#"a_b_total{x_y="1;2","#))
        #expect(page.split(separator: "\n").filter { !$0.hasPrefix("#") }.count == 1)
    }

    @Test(
        "Names of families",
        arguments: [
            ("grpc.server.call.duration", "s", "grpc_server_call_duration_seconds"),
            ("x.sent_total_compressed_message_size", "By", "x_sent_total_compressed_message_size_bytes"),
            ("process.cpu", "s", "process_cpu_seconds"), ("a.seconds", "s", "a_seconds"),
            ("a", "{call}", "a"), ("a", "1", "a_ratio"), ("a", "By/s", "a_bytes_per_second"),
            ("a", "m/s", "a_m_per_second"), ("9a..b-c__d", "", "_9a_b_c_d"), ("é", "", "_"), ("", "", "_"),
        ])
    func families(name: String, unit: String, expected: String) {
        #expect(PrometheusName.family(name, unit: unit, kind: .gauge) == expected)
    }

    @Test("A counter whose name ends in total has the word once")
    func total() {
        #expect(Self.page(.text, [Self.counter("a.total")]).contains("\na_total{"))
        #expect(
            Self.page(.text, [Self.counter("process.cpu", unit: "s")]).contains(
                "\nprocess_cpu_seconds_total{"))
    }
}

@Suite struct PrometheusNumberTests {
    @Test(
        "Numbers as Go prints them",
        arguments: [
            (0, "0"), (-0.0, "-0"), (1, "1"), (10, "10"), (0.5, "0.5"), (0.065, "0.065"), (0.0001, "0.0001"),
            (0.00001, "1e-05"), (0.00005, "5e-05"), (0.0003, "0.0003"), (1024, "1024"), (65536, "65536"),
            (100_000, "100000"), (262_144, "262144"), (999_999.5, "999999.5"), (1_000_000, "1e+06"),
            (1_048_576, "1.048576e+06"), (4_194_304, "4.194304e+06"), (16_777_216, "1.6777216e+07"),
            (67_108_864, "6.7108864e+07"), (268_435_456, "2.68435456e+08"),
            (1_073_741_824, "1.073741824e+09"), (4_294_967_296, "4.294967296e+09"),
            (1_234_567.875, "1.234567875e+06"), (1e21, "1e+21"), (1.5e-7, "1.5e-07"), (1e100, "1e+100"),
            (1e-300, "1e-300"), (-2.5, "-2.5"), (-1e7, "-1e+07"), (.infinity, "+Inf"), (-.infinity, "-Inf"),
            (.nan, "NaN"), (123456, "123456"), (0.1 + 0.2, "0.30000000000000004"),
        ] as [(Double, String)])
    func text(number: Double, expected: String) {
        #expect(PrometheusNumber.text(number) == expected)
    }

    @Test("Every bound reads back as itself, and no two are written alike")
    func bounds() {
        for bounds in [HistogramBounds.latency, HistogramBounds.size, HistogramBounds.count] {
            let texts = bounds.map(PrometheusNumber.text)
            #expect(texts.compactMap(Double.init) == bounds)
            #expect(Set(texts).count == bounds.count)
            #expect(bounds == bounds.sorted())
        }
    }

    @Test("OpenMetrics wants a point or an exponent", arguments: [(1, "1.0"), (0, "0.0"), (1e6, "1e+06")])
    func openMetrics(number: Double, expected: String) {
        #expect(PrometheusNumber.openMetricsText(number) == expected)
    }
}

@Suite struct PrometheusFormatTests {
    @Test(
        "The format that is asked for, or else 0.0.4",
        arguments: [
            ("", .text), ("*/*", .text), ("text/html", .text), ("application/*", .text),
            ("application/openmetrics-text", .openMetrics),
            ("application/openmetrics-text; version=1.0.0; charset=utf-8", .openMetrics),
            ("Application/OpenMetrics-Text ; Version=\"1.0.0\"", .openMetrics),
            ("application/openmetrics-text;version=0.0.1", .text),
            ("application/openmetrics-text;version=2.0.0,*/*;q=0.1", .text),
            ("application/openmetrics-text;q=0", .text), ("application/openmetrics-text;q=x", .text),
            ("application/openmetrics-text;q=0.5,text/plain;q=0.9", .text),
            ("text/plain;version=0.0.4;q=0.5,application/openmetrics-text;version=1.0.0;q=0.5", .openMetrics),
            ("text/plain;version=9;q=1,application/openmetrics-text;q=0.1", .openMetrics),
            // Prometheus 2.42.
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                .openMetrics
            ),
            (",;q=1,;;,text/plain;;=;q", .text),
        ] as [(String, PrometheusFormat)])
    func negotiation(accept: String, expected: PrometheusFormat) {
        #expect(PrometheusFormat(accept: accept) == expected)
    }

    @Test("Content types")
    func contentTypes() {
        #expect(PrometheusFormat.text.contentType == "text/plain; version=0.0.4; charset=utf-8")
        #expect(
            PrometheusFormat.openMetrics.contentType
                == "application/openmetrics-text; version=1.0.0; charset=utf-8")
    }
}
