import Logging
import SumCore
import Testing
import Tracing

@testable import SumTelemetry

@Suite struct TraceMetadataTests {
    @Test("What is logged within a span has its ids")
    func provider() {
        #expect(Logger.MetadataProvider.trace.get().isEmpty)
        let span = SpanTracer(sink: CollectedSpans()).startSpan("x", context: .topLevel)
        InstrumentationContext.withValue(span.context) {
            let metadata = Logger.MetadataProvider.trace.get()
            #expect(metadata["trace_id"] == span.context.span.map { "\($0.trace.traceIDText)" })
            #expect(metadata["span_id"] == span.context.span.map { "\($0.trace.spanIDText)" })
        }
    }
}
