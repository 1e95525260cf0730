package import SumCore

extension SpanContext {
    /// The span under which this process runs, as the variables `TRACEPARENT` and `TRACESTATE` of its environment have it
    /// (https://opentelemetry.io/docs/specs/otel/context/env-carriers/).
    ///
    /// - Returns: nil if there is none, or none that is well-formed.
    package init?(environment value: (String) -> String?) {
        guard let trace = value("TRACEPARENT").flatMap({ TraceContext(traceparent: $0) }) else { return nil }
        self.init(trace, state: value("TRACESTATE").map(TraceState.valid) ?? "", isRemote: true)
    }
}
