import OTLPMessages
import SwiftProtobuf
import Testing

@testable import SumTelemetry

@Suite struct ExportRequestsTests {
    private static let resource: TelemetryResource = {
        var variables = OpenTelemetryVariables { _ in nil }
        return TelemetryResource(ofProgram: "sum-server", &variables)
    }()

    private static func metrics(_ metrics: [MetricsSnapshot.Metric]) throws
        -> [Opentelemetry_Proto_Metrics_V1_Metric]
    {
        let request = ExportMetricsRequest(
            MetricsSnapshot(startTime: 5, time: 7, metrics: metrics), of: resource)
        // Over the wire.
        let received = try ExportMetricsRequest(serializedBytes: request.serializedBytes() as [UInt8])
        #expect(received.resourceMetrics.count == 1)
        #expect(received.resourceMetrics[0].scopeMetrics.count == 1)
        #expect(received.resourceMetrics[0].scopeMetrics[0].scope.name == "grpc-swift-sum")
        return received.resourceMetrics[0].scopeMetrics[0].metrics
    }

    @Test("Sums are cumulative since the start, and counters monotonic")
    func sums() throws {
        let points = [
            MetricsSnapshot.Point(attributes: [.init("grpc.method", "a/b")], value: .integer(.max)),
            MetricsSnapshot.Point(attributes: [], value: .double(0.5)),
        ]
        for kind in [MetricsSnapshot.Kind.counter, .upDownCounter] {
            let metrics = try Self.metrics([
                .init(name: "n", help: "Help.", unit: "{call}", kind: kind, points: points)
            ])
            let metric = try #require(metrics.first)
            #expect((metric.name, metric.description_p, metric.unit) == ("n", "Help.", "{call}"))
            #expect(metric.sum.aggregationTemporality == .cumulative)
            #expect(metric.sum.isMonotonic == (kind == .counter))
            let (first, second) = (metric.sum.dataPoints[0], metric.sum.dataPoints[1])
            #expect((first.startTimeUnixNano, first.timeUnixNano) == (5, 7))
            #expect(first.value == .asInt(.max))
            #expect(first.attributes.map(\.key) == ["grpc.method"])
            #expect(first.attributes[0].value.stringValue == "a/b")
            #expect(second.value == .asDouble(0.5))
        }
    }

    @Test("Gauges have no start")
    func gauges() throws {
        let metrics = try Self.metrics([
            .init(
                name: "g", help: "", unit: "", kind: .gauge,
                points: [.init(attributes: [], value: .integer(-3))])
        ])
        let metric = try #require(metrics.first)
        #expect(metric.gauge.dataPoints.map(\.value) == [.asInt(-3)])
        #expect(metric.gauge.dataPoints.map(\.startTimeUnixNano) == [0])
    }

    @Test("A histogram has its counts bucket by bucket, and their total")
    func histograms() throws {
        let metrics = try Self.metrics([
            .init(
                name: "h", help: "", unit: "s", kind: .histogram(bounds: [0, 0.5]),
                points: [.init(attributes: [], value: .histogram(counts: [1, 0, 4], sum: 9.25))])
        ])
        let metric = try #require(metrics.first)
        #expect(metric.histogram.aggregationTemporality == .cumulative)
        let point = try #require(metric.histogram.dataPoints.first)
        #expect(point.bucketCounts == [1, 0, 4])
        #expect(point.explicitBounds == [0, 0.5])
        #expect((point.count, point.sum, point.hasMin) == (5, 9.25, false))
        #expect((point.startTimeUnixNano, point.timeUnixNano) == (5, 7))
    }

    private static func span(_ span: FinishedSpan) throws -> Opentelemetry_Proto_Trace_V1_Span {
        let request = ExportTracesRequest([span], of: resource)
        let received = try ExportTracesRequest(serializedBytes: request.serializedBytes() as [UInt8])
        let attributes = received.resourceSpans[0].resource.attributes
        #expect(attributes.contains { $0.key == "service.name" && $0.value.stringValue == "sum-server" })
        #expect(attributes.contains { $0.key == "process.pid" && $0.value.intValue > 0 })
        return received.resourceSpans[0].scopeSpans[0].spans[0]
    }

    @Test("A span keeps everything")
    func spans() throws {
        let span = try Self.span(
            FinishedSpan(
                traceID: Array(1...16), spanID: Array(1...8),
                parent: .init(spanID: Array(9...16), isRemote: true),
                flags: 1, traceState: "a=b", name: "Recv.a.B.C", kind: .server, startTime: 3, endTime: 9,
                attributes: [
                    .init("s", .string("ü")), .init("i", .integer(-1)), .init("d", .double(0.5)),
                    .init("b", .boolean(true)),
                ],
                droppedAttributes: 2,
                events: [.init("e", time: 4, attributes: [.init("k", .integer(1))])], droppedEvents: 7,
                status: .error(message: "UNAVAILABLE, no")))
        #expect(Array(span.traceID) == Array(1...16))
        #expect(Array(span.spanID) == Array(1...8))
        #expect(Array(span.parentSpanID) == Array(9...16))
        #expect((span.flags, span.traceState) == (0x301, "a=b"))
        #expect((span.name, span.kind) == ("Recv.a.B.C", .server))
        #expect((span.startTimeUnixNano, span.endTimeUnixNano) == (3, 9))
        #expect(span.attributes.map(\.key) == ["s", "i", "d", "b"])
        #expect(
            span.attributes.map(\.value.value)
                == [.stringValue("ü"), .intValue(-1), .doubleValue(0.5), .boolValue(true)])
        #expect((span.droppedAttributesCount, span.droppedEventsCount) == (2, 7))
        #expect((span.events[0].name, span.events[0].timeUnixNano) == ("e", 4))
        #expect(span.events[0].attributes.map(\.key) == ["k"])
        #expect((span.status.code, span.status.message) == (.error, "UNAVAILABLE, no"))
    }

    @Test(
        "Kinds, and the numbers they have on the wire",
        arguments: [
            (FinishedSpan.Kind.internal, 1), (.server, 2), (.client, 3), (.producer, 4), (.consumer, 5),
        ])
    func kinds(_ kind: FinishedSpan.Kind, number: Int) throws {
        let span = try Self.span(
            FinishedSpan(
                traceID: Array(1...16), spanID: Array(1...8), flags: 0, name: "n", kind: kind, startTime: 0,
                endTime: 0, status: .ok))
        #expect(span.kind.rawValue == number)
        #expect((span.flags, span.parentSpanID.count, span.status.code) == (0x100, 0, .ok))
    }
}
