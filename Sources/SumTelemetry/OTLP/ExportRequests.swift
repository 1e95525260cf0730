internal import OTLPMessages
internal import SwiftProtobuf

// What is exported, as the messages of opentelemetry-proto have it.

typealias ExportMetricsRequest = Opentelemetry_Proto_Collector_Metrics_V1_ExportMetricsServiceRequest
typealias ExportMetricsResponse = Opentelemetry_Proto_Collector_Metrics_V1_ExportMetricsServiceResponse
typealias ExportTracesRequest = Opentelemetry_Proto_Collector_Trace_V1_ExportTraceServiceRequest
typealias ExportTracesResponse = Opentelemetry_Proto_Collector_Trace_V1_ExportTraceServiceResponse

extension ExportMetricsRequest {
    static let path = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"

    init(_ snapshot: MetricsSnapshot, of resource: TelemetryResource) {
        self.init()
        resourceMetrics = [
            .with {
                $0.resource = .init(resource)
                $0.scopeMetrics = [
                    .with {
                        $0.scope = .sum
                        $0.metrics = snapshot.metrics.map { .init($0, in: snapshot) }
                    }
                ]
            }
        ]
    }
}

extension ExportTracesRequest {
    static let path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

    init(_ spans: some Sequence<FinishedSpan>, of resource: TelemetryResource) {
        self.init()
        resourceSpans = [
            .with {
                $0.resource = .init(resource)
                $0.scopeSpans = [
                    .with {
                        $0.scope = .sum
                        $0.spans = spans.map { .init($0) }
                    }
                ]
            }
        ]
    }
}

extension Opentelemetry_Proto_Resource_V1_Resource {
    fileprivate init(_ resource: TelemetryResource) {
        self.init()
        attributes = resource.attributes.map { .init($0) }
    }
}

extension Opentelemetry_Proto_Common_V1_InstrumentationScope {
    fileprivate static let sum = Self.with {
        $0.name = SumTelemetry.InstrumentationScope.current.name
        $0.version = SumTelemetry.InstrumentationScope.current.version
    }
}

extension Opentelemetry_Proto_Common_V1_KeyValue {
    init(_ attribute: FinishedSpan.Attribute) {
        self.init()
        key = attribute.name
        value.value =
            switch attribute.value {
            case .string(let text): .stringValue(text)
            case .integer(let number): .intValue(number)
            case .double(let number): .doubleValue(number)
            case .boolean(let flag): .boolValue(flag)
            }
    }

    init(_ attribute: MetricsSnapshot.Attribute) {
        self.init(FinishedSpan.Attribute(attribute.name, .string(attribute.value)))
    }
}
