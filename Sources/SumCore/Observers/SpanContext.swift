public import Tracing

/// What a tracer knows of a span, and passes on to the spans below it.
public struct SpanContext: Hashable, Sendable {
    /// The span's ids.
    public var trace: TraceContext
    /// The `tracestate` of the trace, which tracers may add to; empty for none.
    public var state: String
    /// Whether the span belongs to another process.
    public var isRemote: Bool

    /// Creates what a tracer knows of a span.
    public init(_ trace: TraceContext, state: String = "", isRemote: Bool = false) {
        self.trace = trace
        self.state = state
        self.isRemote = isRemote
    }
}

extension InstrumentationContext {
    private enum Key: InstrumentationContextKey {
        typealias Value = SpanContext
    }

    /// The span under which code runs, for a tracer whose ids are those of W3C Trace Context.
    public var span: SpanContext? {
        get { self[Key.self] }
        set { self[Key.self] = newValue }
    }
}

extension Instrument {
    /// The ids of a span, for tracers that keep them in a way of their own: what they would send to another process.
    func traceContext(of context: InstrumentationContext) -> TraceContext? {
        if let span = context.span { return span.trace }
        var metadata = GRPCMetadata()
        inject(context, into: &metadata, using: MetadataInjector())
        return metadata.joined("traceparent").flatMap { TraceContext(traceparent: $0) }
    }
}
