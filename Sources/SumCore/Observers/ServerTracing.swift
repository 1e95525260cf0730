public import Tracing

/// Traces the calls of a server: each has a span `Recv.package.Service.Method`, under the span that the client has sent
/// (grpc/proposal A72).
///
/// Handlers find the span's context in `ServerCallContext.instrumentation`, and those written with async/await in
/// `InstrumentationContext.current`, so that their own spans and calls belong to the trace.
public final class ServerTracing: ServerObserver, ServerConnectionObserver {
    private let tracer: any Tracer
    private let messageLimit: Int

    /// - Parameters:
    ///   - tracer: starts the spans. Its `extract` reads the metadata of requests.
    ///   - messageLimit: how many messages of each direction are events of the span. Their number costs time, and a
    ///     stream may have millions.
    public init(_ tracer: any Tracer, messageLimit: Int = 0) {
        self.tracer = tracer
        self.messageLimit = messageLimit
    }

    public var observesCalls: Bool { true }

    /// All connections have one observer, which keeps nothing about them.
    public func connectionOpened(_ peer: Peer) -> (any ServerConnectionObserver)? { self }

    public func closed(_ connection: ServerConnectionRecord) {}

    public func callBegan(_ call: ServerCallStart) -> (any ServerCallObserver)? {
        var context = InstrumentationContext.topLevel
        tracer.extract(call.metadata, into: &context, using: MetadataExtractor())
        // A name that clients make up would make a span's name of each.
        let name = call.isHosted ? CallSpan.name("Recv", call.path) : "Recv.other"
        let span = tracer.startSpan(name, context: context, ofKind: .server)
        return ServerCallTracing(tracer, span, messageLimit: span.isRecording ? messageLimit : 0)
    }
}

/// The span of one call of a server.
private final class ServerCallTracing: ServerCallObserver {
    private let tracer: any Tracer
    private let span: any Span
    let messageLimit: Int

    init(_ tracer: any Tracer, _ span: any Span, messageLimit: Int) {
        self.tracer = tracer
        self.span = span
        self.messageLimit = messageLimit
    }

    var instrumentation: InstrumentationContext? { span.context }
    var trace: TraceContext? { tracer.traceContext(of: span.context) }

    func messageReceived(_ message: ObservedMessage) {
        span.addEvent(CallSpan.event("Inbound message", message))
    }

    func messageSent(_ message: ObservedMessage) {
        span.addEvent(CallSpan.event("Outbound message", message))
    }

    func ended(_ call: ServerCallRecord) {
        guard span.isRecording else { return span.end() }
        span.updateAttributes { attributes in
            attributes.setMethod(call.isHosted ? call.path : "/_OTHER")
            if !call.isHosted {
                attributes["rpc.method_original"] = call.path.escapedForDisplay
            }
            attributes.setPeer(call.peer)
            attributes.setOutcome(
                call.status, call.path, requests: (call.messages.received, call.messageBytesReceived))
        }
        span.setStatus(CallSpan.status(call.status))
        span.end()
    }
}
