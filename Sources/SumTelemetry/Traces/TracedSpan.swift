import Synchronization
public import Tracing

/// A span of `SpanTracer`. One that is not recorded only has a context, so that what is under it belongs to the trace.
public struct TracedSpan: Span {
    public let context: InstrumentationContext
    private let recording: SpanRecording?

    init(_ context: InstrumentationContext, _ recording: SpanRecording?) {
        self.context = context
        self.recording = recording
    }

    public var operationName: String {
        get { recording?.operationName ?? "" }
        nonmutating set { recording?.operationName = newValue }
    }

    public var attributes: SpanAttributes {
        get { recording?.attributes ?? [:] }
        nonmutating set { recording?.attributes = newValue }
    }

    /// Until it ends.
    public var isRecording: Bool { recording?.isRecording ?? false }

    public func setStatus(_ status: SpanStatus) { recording?.setStatus(status) }

    public func addEvent(_ event: SpanEvent) { recording?.add(event) }

    /// Adds an event `exception`, as OpenTelemetry has it.
    public func recordError<Instant: TracerInstant>(
        _ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Instant
    ) {
        guard let recording else { return }
        var attributes = attributes
        attributes["exception.type"] = String(reflecting: type(of: error))
        attributes["exception.message"] = "\(error)"
        recording.add(SpanEvent(name: "exception", at: instant(), attributes: attributes))
    }

    /// Links are not kept.
    public func addLink(_ link: SpanLink) {}

    public func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
        recording?.end(at: instant().nanosecondsSinceEpoch)
    }
}
