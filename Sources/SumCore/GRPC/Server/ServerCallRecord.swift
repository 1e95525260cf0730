/// The outcome of a call, from the server's side.
public struct ServerCallRecord: Sendable {
    /// What was known when the call began, with the principal under which the client made the call.
    public var start: ServerCallStart
    /// Whether the method's handler got the call. If not, the request was malformed, had no method, or its caller may not
    /// make it.
    public var reachedHandler = true
    /// How the call ended; CANCELLED if the client cancelled it or disconnected.
    public var status: GRPCStatus
    /// Whether the status was sent. If not, the client cancelled the call or is gone, or we reset the stream.
    public var wasAnswered = true
    /// The time from the request's headers to the end of the stream.
    public var duration: Duration
    /// The time from the request's headers until the server had decided on the status, and made the trailers. The client
    /// may read them later.
    public var timeToStatus: Duration
    /// Complete messages in each direction.
    public var messages: MessageCounts
    /// Bytes of request messages on the wire, including the five-byte prefixes.
    public var bytesReceived: Int
    /// Bytes of response messages that were sent on the wire, including the five-byte prefixes.
    public var bytesSent: Int
    /// All bytes that the connection had received when the call ended, including frames and headers.
    public var connectionBytesReceived: Int
    /// The ids of the call's span; nil without tracing.
    public var trace: TraceContext?

    /// The client, with its principal if it made the call under a name.
    public var peer: Peer { start.peer }
    /// As the client sent it; `/package.Service/Method` if it is well-formed.
    public var path: String { start.path }
    /// Whether the server hosts a method with this path. If not, the client may have made it up.
    public var isHosted: Bool { start.isHosted }
    /// The client's name for the server (`:authority`, or `host`).
    public var authority: String { start.authority }
    /// The client's `user-agent`.
    public var userAgent: String { start.userAgent }
    /// The client's timeout; nil if it set none, or a malformed one.
    public var timeout: Duration? { start.timeout }

    /// Bytes of request messages, without the prefixes of complete messages.
    public var messageBytesReceived: Int {
        MessagePrefix.removed(from: bytesReceived, count: messages.received)
    }

    /// Bytes of response messages, without the prefixes of complete messages.
    public var messageBytesSent: Int { MessagePrefix.removed(from: bytesSent, count: messages.sent) }
}
