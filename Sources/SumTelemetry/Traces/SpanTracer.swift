import SumCore
public import Tracing

/// A tracer whose spans have the ids of W3C Trace Context, and go to a `SpanSink` when they have ended, such as an
/// exporter's.
///
/// A span is recorded if the sampler says so, which is decided before anything is allocated for it. Links between spans
/// are not kept.
public struct SpanTracer: Tracer {
    private let ids: SpanIDs
    private let sampler: TraceSampler
    private let sink: any SpanSink

    /// Creates a tracer.
    ///
    /// - Parameters:
    ///   - sampler: decides which traces are recorded.
    ///   - sink: takes spans that have ended.
    public init(_ sampler: TraceSampler = .default, sink: any SpanSink) {
        self.init(sampler, sink: sink, ids: SpanIDs())
    }

    init(_ sampler: TraceSampler, sink: any SpanSink, ids: SpanIDs) {
        self.sampler = sampler
        self.sink = sink
        self.ids = ids
    }

    public func startSpan<Instant: TracerInstant>(
        _ operationName: String, context: @autoclosure () -> InstrumentationContext, ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant, function: String, file fileID: String, line: UInt
    ) -> TracedSpan {
        var context = context()
        let parent = context.span
        let traceID = parent?.trace.traceID ?? ids.traceID()
        let isSampled = sampler.samples(traceID, under: parent)
        // Of the parent's flags, the one that says whether the trace is recorded is decided here.
        let flags = (parent?.trace.flags ?? 0) & ~1 | (isSampled ? 1 : 0)
        context.span = SpanContext(
            TraceContext(traceID: traceID, spanID: ids.spanID(), flags: flags), state: parent?.state ?? "")
        guard isSampled, let span = context.span else { return TracedSpan(context, nil) }
        return TracedSpan(
            context,
            SpanRecording(
                span, under: parent, operationName, kind, start: instant().nanosecondsSinceEpoch, sink: sink))
    }

    /// Spans are handed to the sink when they end. It is the sink that is flushed.
    public func forceFlush() {}

    // MARK: Propagation (https://www.w3.org/TR/trace-context/)

    public func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier, into context: inout InstrumentationContext, using extractor: Extract
    ) where Extract.Carrier == Carrier {
        guard let text = extractor.extract(key: "traceparent", from: carrier),
            let trace = TraceContext(traceparent: text)
        else { return }
        let state = extractor.extract(key: "tracestate", from: carrier)
        context.span = SpanContext(trace, state: state.map(TraceState.valid) ?? "", isRemote: true)
    }

    public func inject<Carrier, Inject: Injector>(
        _ context: InstrumentationContext, into carrier: inout Carrier, using injector: Inject
    ) where Inject.Carrier == Carrier {
        guard let span = context.span else { return }
        injector.inject(span.trace.traceparent, forKey: "traceparent", into: &carrier)
        if !span.state.isEmpty { injector.inject(span.state, forKey: "tracestate", into: &carrier) }
    }
}
