/// The outcome of a call, from the client's side.
public struct ClientCallRecord: Sendable {
    /// `/package.Service/Method`.
    public var path: String
    /// The client's target as a URI, such as `dns:///localhost:50051`.
    public var target: String
    /// The time that the call had until its deadline; nil if it had none.
    public var timeout: Duration?
    /// The server of the last attempt; nil if there was none.
    public var peer: Peer?
    /// How the call ended.
    public var status: GRPCStatus
    /// The time from the beginning of the call to its end, including connecting and all attempts.
    public var duration: Duration
    /// The number of attempts that were started on a connection.
    public var attempts: Int
    /// Attempts among them that repeated one that no method had seen (grpc/proposal A6).
    public var transparentRetries: Int
    /// The time in which no attempt was running, between one that failed and the next (grpc/proposal A96).
    public var retryDelay = Duration.zero
    /// Messages in each direction, those that were sent by all attempts together. If not everything has left, the number
    /// of messages sent is estimated from their bytes.
    public var messages: MessageCounts
    /// Bytes of request messages passed to the connections of all attempts, including the five-byte prefixes.
    public var bytesSent: Int
    /// Bytes of response messages, including the five-byte prefixes.
    public var bytesReceived: Int
    /// The ids of the call's span; nil without tracing.
    public var trace: TraceContext?
}

/// The outcome of one attempt of a call, from the client's side.
public struct ClientAttemptRecord: Sendable {
    /// `/package.Service/Method`.
    public var path: String
    /// The client's target as a URI, such as `dns:///localhost:50051`.
    public var target: String
    /// Which attempt of the call it was; the first is 0.
    public var number: Int
    /// The server.
    public var peer: Peer
    /// How the attempt ended.
    public var status: GRPCStatus
    /// The time from its beginning on a connection to its end.
    public var duration: Duration
    /// Messages in each direction; see `ClientCallRecord.messages`.
    public var messages: MessageCounts
    /// Bytes of request messages passed to the connection, including the five-byte prefixes.
    public var bytesSent: Int
    /// Bytes of response messages, including the five-byte prefixes.
    public var bytesReceived: Int

    /// Bytes of request messages without the prefixes.
    public var messageBytesSent: Int { MessagePrefix.removed(from: bytesSent, count: messages.sent) }

    /// Bytes of response messages without the prefixes.
    public var messageBytesReceived: Int {
        MessagePrefix.removed(from: bytesReceived, count: messages.received)
    }
}
