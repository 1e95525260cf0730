public import Tracing

/// Observes one call of a server, on the event loop of its connection. It must never block.
public protocol ServerCallObserver: AnyObject {
    /// What handlers find in `ServerCallContext.instrumentation`, and those written with async/await in
    /// `InstrumentationContext.current`; nil for nothing. Read once, before the call's handler is made.
    var instrumentation: InstrumentationContext? { get }
    /// The ids of the call's span, for `ServerCallRecord`; nil for none. Read once, at the end of the call.
    var trace: TraceContext? { get }
    /// How many messages of each direction are reported one by one, from the first on. Read once.
    var messageLimit: Int { get }

    /// A message of the request has arrived. It may wait before the handler gets it.
    func messageReceived(_ message: ObservedMessage)
    /// The handler has sent a message. It may wait before it leaves.
    func messageSent(_ message: ObservedMessage)
    /// The call has ended and its stream is closed. This is the last event.
    func ended(_ call: ServerCallRecord)
}

extension ServerCallObserver {
    public var instrumentation: InstrumentationContext? { nil }
    public var trace: TraceContext? { nil }
    public var messageLimit: Int { 0 }
    public func messageReceived(_ message: ObservedMessage) {}
    public func messageSent(_ message: ObservedMessage) {}
}
