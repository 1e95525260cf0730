public import Logging
internal import SumCore
internal import Tracing

extension Logger.MetadataProvider {
    /// Adds `trace_id` and `span_id` of the span under which something is logged, such as by a handler written with
    /// async/await, under the names that the access log uses.
    public static let trace = Logger.MetadataProvider {
        guard let span = InstrumentationContext.current?.span else { return [:] }
        return ["trace_id": "\(span.trace.traceIDText)", "span_id": "\(span.trace.spanIDText)"]
    }
}
