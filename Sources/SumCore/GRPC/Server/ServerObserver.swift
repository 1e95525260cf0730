/// Observes a server's connections and calls, for logs, metrics and traces.
///
/// All methods are called on the connection's event loop and must never block. The events of one connection come in
/// order; those of several connections may come concurrently.
public protocol ServerObserver: Sendable {
    /// A client has connected.
    ///
    /// - Returns: an observer for this connection; nil for none.
    func connectionOpened(_ peer: Peer) -> (any ServerConnectionObserver)?
}

/// Observes one connection of a server, on its event loop.
public protocol ServerConnectionObserver: AnyObject {
    /// Whether to report calls to this observer. Read once. If false, calls cost nothing for it.
    var observesCalls: Bool { get }

    /// A request has begun a call, or was rejected, which ends the call at once.
    ///
    /// - Parameter path: as the client sent it; `/package.Service/Method` if it is well-formed.
    func callBegan(_ path: String)
    /// A call has ended and its stream is closed. Only this event reports what the call carried.
    func callEnded(_ call: ServerCallRecord)
    /// A stream was reset because of what the client sent, or because there were too many calls. RST_STREAM cannot
    /// carry the reason.
    func requestRefused(_ reason: String)
    /// The client sent GOAWAY.
    ///
    /// - Parameters:
    ///   - code: the name of the error code (RFC 9113 section 7).
    ///   - debug: the client's debug data, escaped for display.
    func clientGoesAway(_ code: String, debug: String)
    /// The connection failed: it ends although the two sides were not done with it and the client did not close it. The
    /// ends of its calls follow.
    func failed(_ failure: ServerConnectionFailure)
    /// The connection is closed. This is the last event.
    func closed(_ connection: ServerConnectionRecord)
}

extension ServerConnectionObserver {
    public func callBegan(_ path: String) {}
    public func callEnded(_ call: ServerCallRecord) {}
    public func requestRefused(_ reason: String) {}
    public func clientGoesAway(_ code: String, debug: String) {}
    public func failed(_ failure: ServerConnectionFailure) {}
}

/// The outcome of a call, from the server's side.
public struct ServerCallRecord: Sendable {
    /// The client.
    public var peer: Peer
    /// As the client sent it; `/package.Service/Method` if it is well-formed.
    public var path: String
    /// How the call ended; CANCELLED if the client cancelled it or disconnected.
    public var status: GRPCStatus
    /// The time from the request's headers to the end of the stream.
    public var duration: Duration
    /// Messages in each direction; nil if the method's handler does not count them.
    public var messages: MessageCounts?
    /// Bytes of request messages on the wire, including the five-byte prefixes.
    public var bytesReceived: Int
    /// Bytes of response messages that were sent on the wire, including the five-byte prefixes.
    public var bytesSent: Int
    /// All bytes that the connection had received when the call ended, including frames and headers.
    public var connectionBytesReceived: Int
}

/// The number of messages that a call has carried.
public struct MessageCounts: Hashable, Sendable {
    /// Request messages.
    public var received: Int64
    /// Response messages.
    public var sent: Int64

    /// Creates counts from the messages received and sent so far.
    public init(received: Int64, sent: Int64) {
        self.received = received
        self.sent = sent
    }
}

/// The outcome of a connection, from the server's side.
public struct ServerConnectionRecord: Sendable {
    /// The client.
    public var peer: Peer
    /// How long it was open.
    public var duration: Duration
    /// Streams that were opened on it.
    public var calls: Int
    /// Bytes read from the socket.
    public var bytesReceived: Int
    /// Bytes written to the socket.
    public var bytesSent: Int
}

/// Why a server's connection failed.
public struct ServerConnectionFailure: Sendable, CustomStringConvertible {
    /// The reason as text, suitable for a log.
    public var description: String
    /// The limit that the client exceeded, such as `too_many_pings`; nil if it exceeded none.
    public var exceededLimit: String?
    /// Whether the client exceeded a limit or broke HTTP/2. If not, the failure is an everyday event.
    public var isClientsFault: Bool
}
