internal import Synchronization
public import Tracing

/// Traces the calls of a client: each has a span `Sent.package.Service.Method`, and under it a span
/// `Attempt.package.Service.Method` for each attempt, which is sent to the server (grpc/proposal A72).
///
/// The first span is under that of the task that begins the call (`InstrumentationContext.current`).
public final class ClientTracing: ClientObserver {
    private let tracer: any Tracer
    private let messageLimit: Int
    private let parent: InstrumentationContext?

    /// - Parameters:
    ///   - tracer: starts the spans. Its `inject` writes into the metadata of requests.
    ///   - messageLimit: how many messages of each direction are events of an attempt's span. Their number costs time,
    ///     and a stream may have millions.
    ///   - parent: what calls are under that begin outside of any span.
    public init(_ tracer: any Tracer, messageLimit: Int = 0, under parent: InstrumentationContext? = nil) {
        self.tracer = tracer
        self.messageLimit = messageLimit
        self.parent = parent
    }

    public func callBegan(_ call: ClientCallStart) -> (any ClientCallObserver)? {
        let span = tracer.startSpan(
            CallSpan.name("Sent", call.path), context: .current ?? parent ?? .topLevel, ofKind: .client)
        return ClientCallTracing(tracer, span, call.path, messageLimit: span.isRecording ? messageLimit : 0)
    }
}

/// The spans of one call of a client.
private final class ClientCallTracing: ClientCallObserver {
    private let tracer: any Tracer
    private let span: any Span
    private let path: String
    let messageLimit: Int
    /// The span of the running attempt.
    private let attempt = Mutex<(any Span)?>(nil)

    init(_ tracer: any Tracer, _ span: any Span, _ path: String, messageLimit: Int) {
        self.tracer = tracer
        self.span = span
        self.path = path
        self.messageLimit = messageLimit
    }

    var trace: TraceContext? { tracer.traceContext(of: span.context) }

    func attemptBegan(_ attempt: inout ClientAttemptStart) {
        let span = tracer.startSpan(
            CallSpan.name("Attempt", path), context: self.span.context, ofKind: .client)
        tracer.inject(span.context, into: &attempt.metadata, using: MetadataInjector())
        if span.isRecording {
            if let time = attempt.timeSinceResolution { addResolution(time) }
            if attempt.hadToWait { span.addEvent("Delayed LB pick complete") }
            let (previous, isTransparent) = (attempt.previousAttempts, attempt.isTransparentRetry)
            let peer = attempt.peer
            span.updateAttributes { attributes in
                attributes["previous-rpc-attempts"] = Int64(previous)
                attributes["transparent-retry"] = isTransparent
                attributes.setPeer(peer)
            }
        }
        self.attempt.withLock { $0 = span }
    }

    /// - Parameter time: how long ago it was.
    private func addResolution(_ time: Duration) {
        let now = DefaultTracerClock.now.nanosecondsSinceEpoch
        let moment = now - min(now, UInt64(clamping: time.wholeNanoseconds))
        span.addEvent(
            SpanEvent(
                name: "Delayed name resolution complete",
                at: DefaultTracerClock.Timestamp(nanosecondsSinceEpoch: moment)))
    }

    func messageSent(_ message: ObservedMessage) {
        attempt.withLock { $0 }?.addEvent(CallSpan.event("Outbound message", message))
    }

    func messageReceived(_ message: ObservedMessage) {
        attempt.withLock { $0 }?.addEvent(CallSpan.event("Inbound message", message))
    }

    func attemptEnded(_ attempt: ClientAttemptRecord) {
        guard let span = self.attempt.withLock({ $0.take() }) else { return }
        if span.isRecording {
            span.updateAttributes { attributes in
                attributes.setOutcome(
                    attempt.status, path, requests: (attempt.messages.sent, attempt.messageBytesSent))
            }
            span.setStatus(CallSpan.status(attempt.status))
        }
        span.end()
    }

    func ended(_ call: ClientCallRecord) {
        if span.isRecording {
            span.updateAttributes { attributes in
                attributes.setMethod(path)
                attributes["rpc.response.status_code"] = "\(call.status.code)"
                attributes["grpc.target"] = call.target
            }
            span.setStatus(CallSpan.status(call.status))
        }
        span.end()
    }
}
