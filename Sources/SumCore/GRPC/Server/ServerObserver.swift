/// Observes a server's connections and calls, for logs, metrics and traces.
///
/// The methods must never block. Those about a connection are called on its event loop; the events of one connection
/// come in order, and those of several may come concurrently.
public protocol ServerObserver: Sendable {
    /// A client has connected.
    ///
    /// - Returns: an observer for this connection; nil for none.
    func connectionOpened(_ peer: Peer) -> (any ServerConnectionObserver)?
    /// A connection was closed before it was served. `connectionOpened` is not called for it.
    func connectionRefused(_ reason: ConnectionRefusal, _ peer: Peer)
    /// The TLS handshake of a connection has ended. Comes before `connectionOpened`.
    func handshakeEnded(_ result: TLSHandshakeResult, _ peer: Peer)
    /// The server begins to use a certificate.
    ///
    /// - Parameter notAfter: when it expires, in seconds since 1970.
    func certificateUsed(notAfter: Int)
    /// Files were read again, and had changed or were wrong (`Reloader`). Called in a task of the reloader.
    func filesReloaded(_ outcome: ReloadOutcome)
    /// The server shuts down. Called in the task that shuts it down.
    func drainBegan()
}

extension ServerObserver {
    public func connectionRefused(_ reason: ConnectionRefusal, _ peer: Peer) {}
    public func handshakeEnded(_ result: TLSHandshakeResult, _ peer: Peer) {}
    public func certificateUsed(notAfter: Int) {}
    public func filesReloaded(_ outcome: ReloadOutcome) {}
    public func drainBegan() {}
}

/// What came of reading files again. The values are names for metrics.
public enum ReloadOutcome: String, CaseIterable, Sendable {
    /// What they contain is in use now.
    case success
    /// Something is wrong with them, and nothing has changed.
    case failure
}

/// Observes one connection of a server, on its event loop.
public protocol ServerConnectionObserver: AnyObject {
    /// Whether to report calls to this observer. Read once. If false, calls cost nothing for it.
    var observesCalls: Bool { get }
    /// Whether to report messages to this observer while their calls go on. Read once. If false, they cost nothing for it.
    var observesMessages: Bool { get }

    /// A request has begun a call, or was rejected, which ends the call at once. Comes before it is decided whether the
    /// call may be made, and before its handler exists.
    ///
    /// - Returns: an observer for this call; nil for none.
    func callBegan(_ call: ServerCallStart) -> (any ServerCallObserver)?
    /// Messages of a call have arrived. Reported once for each piece of a request's body that completes some, and before
    /// the end of the call, so that all reports together have the count of the call's record.
    ///
    /// - Parameters:
    ///   - count: how many.
    ///   - call: as `callBegan` was told of it. The server hosts its method.
    func messagesReceived(_ count: Int64, of call: ServerCallStart)
    /// A call has ended and its stream is closed.
    func callEnded(_ call: ServerCallRecord)
    /// A stream was reset because of what the client sent, or because there were too many calls. RST_STREAM cannot
    /// carry the reason.
    func requestRefused(_ reason: String)
    /// A call is refused because of who makes it, or because that could not be found out (`CallAuthorizer`). Its end
    /// follows.
    func authorizationFailed(_ status: GRPCStatus)
    /// A PING was sent, to find out whether the client is still there.
    func keepaliveSent()
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
    public var observesMessages: Bool { false }
    public func messagesReceived(_ count: Int64, of call: ServerCallStart) {}
    public func keepaliveSent() {}
    public func callBegan(_ call: ServerCallStart) -> (any ServerCallObserver)? { nil }
    public func callEnded(_ call: ServerCallRecord) {}
    public func requestRefused(_ reason: String) {}
    public func authorizationFailed(_ status: GRPCStatus) {}
    public func clientGoesAway(_ code: String, debug: String) {}
    public func failed(_ failure: ServerConnectionFailure) {}
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
    /// What the client did wrong, as one of a few words that are never the client's: the limit that it exceeded, or
    /// `protocol_error`, `not_http2`, `tls`; nil for everyday events.
    public var offence: String?
    /// Whether the client exceeded a limit or broke HTTP/2. If not, the failure is an everyday event.
    public var isClientsFault: Bool
}
