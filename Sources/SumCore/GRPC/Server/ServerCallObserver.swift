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

/// What is known of a call when it begins, from the server's side.
public struct ServerCallStart: Sendable {
    /// The client. Its principal is known only if TLS has told it.
    public var peer: Peer
    /// As the client sent it; `/package.Service/Method` if it is well-formed.
    public var path: String
    /// Whether the server hosts a method with this path. If not, the client may have made it up.
    public var isHosted: Bool
    /// The client's name for the server (`:authority`, or `host`).
    public var authority: String
    /// The client's `user-agent`.
    public var userAgent: String
    /// The client's timeout; nil if it set none, or a malformed one.
    public var timeout: Duration?
    /// The client's metadata, with its credentials.
    public var metadata: GRPCMetadata
}

extension ServerCallStart {
    init(_ request: GRPCRequestHead, peer: Peer) {
        self.init(
            peer: peer, path: request.path, isHosted: true, authority: request.authority,
            userAgent: request.userAgent, timeout: request.timeout, metadata: request.metadata)
    }

    /// - Parameter fields: the headers of a request that was rejected.
    init(rejected fields: [HTTP2Field], isHosted: (String) -> Bool, peer: Peer) {
        let path = fields.first(":path") ?? ""
        self.init(
            peer: peer, path: path, isHosted: isHosted(path),
            authority: fields.first(":authority") ?? fields.first("host") ?? "",
            userAgent: fields.first("user-agent") ?? "",
            timeout: fields.first("grpc-timeout").flatMap(GRPCTimeout.decode),
            metadata: GRPCMetadata(received: fields))
    }
}
