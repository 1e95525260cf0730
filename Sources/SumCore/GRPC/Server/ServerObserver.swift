/// Told of a server's connections and calls, for logs, metrics and traces.
///
/// Everything is told on the event loop of the connection, where an observer must never wait. What one observer is told
/// of a connection comes in order; several connections may be told of at once.
public protocol ServerObserver: Sendable {
    /// A client has connected.
    ///
    /// - Returns: what is to be told of this connection; nil: nothing.
    func connectionOpened(_ peer: Peer) -> (any ServerConnectionObserver)?
}

/// Told of one connection of a server, on its event loop.
public protocol ServerConnectionObserver: AnyObject {
    /// Whether this is told of calls. Asked once. A call that nobody is told of costs nothing for it.
    var observesCalls: Bool { get }

    /// A request has begun a call, or was rejected, which ends it at once.
    ///
    /// - Parameter path: as the client wrote it; `/package.Service/Method` if it is well-formed.
    func callBegan(_ path: String)
    /// A call is over, and its stream closed. The only moment at which something is told of what it carried.
    func callEnded(_ call: ServerCallRecord)
    /// A stream was reset for what the client sent, or since there were too many calls; RST_STREAM has no room for words.
    func requestRefused(_ reason: String)
    /// The client sent GOAWAY.
    ///
    /// - Parameters:
    ///   - code: as RFC 9113 section 7 names it.
    ///   - debug: the client's words, made printable.
    func clientGoesAway(_ code: String, debug: String)
    /// The connection ends for another reason than that both sides are done with it, or that the client has closed it. Its
    /// calls end next.
    func failed(_ failure: ServerConnectionFailure)
    /// The connection is closed. Nothing is told after this.
    func closed(_ connection: ServerConnectionRecord)
}

extension ServerConnectionObserver {
    public func callBegan(_ path: String) {}
    public func callEnded(_ call: ServerCallRecord) {}
    public func requestRefused(_ reason: String) {}
    public func clientGoesAway(_ code: String, debug: String) {}
    public func failed(_ failure: ServerConnectionFailure) {}
}

/// What became of a call, as its server sees it.
public struct ServerCallRecord: Sendable {
    public var peer: Peer
    /// As the client wrote it; `/package.Service/Method` if it is well-formed.
    public var path: String
    /// How the call ended; CANCELLED if the client gave it up, or is gone.
    public var status: GRPCStatus
    /// From the request's headers to the end of the stream.
    public var duration: Duration
    /// Messages in each direction; nil if the method's handler does not count them.
    public var messages: MessageCounts?
    /// Bytes of the request's messages on the wire, with their prefixes of five bytes.
    public var bytesReceived: Int
    /// Bytes of the response's messages on the wire, with their prefixes, as far as they were sent.
    public var bytesSent: Int
    /// Bytes that the connection had received in all, frames and headers included, when the call ended.
    public var connectionBytesReceived: Int
}

/// How many messages a call has carried.
public struct MessageCounts: Hashable, Sendable {
    public var received: Int64
    public var sent: Int64

    public init(received: Int64, sent: Int64) {
        self.received = received
        self.sent = sent
    }
}

/// What became of a connection, as its server sees it.
public struct ServerConnectionRecord: Sendable {
    public var peer: Peer
    /// How long it was open.
    public var duration: Duration
    /// Streams that were opened on it.
    public var calls: Int
    /// Bytes read from and written to the socket.
    public var bytesReceived: Int
    public var bytesSent: Int
}

/// Why a connection of a server failed.
public struct ServerConnectionFailure: Sendable, CustomStringConvertible {
    /// Why, in words, fit for a log.
    public var description: String
    /// The limit that the client exceeded, such as `too_many_pings`; nil if it exceeded none.
    public var exceededLimit: String?
    /// Whether the client exceeded a limit or broke HTTP/2. Otherwise it is what happens every day.
    public var isClientsFault: Bool
}
