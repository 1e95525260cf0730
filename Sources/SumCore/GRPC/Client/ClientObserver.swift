/// Told of a client's connections and calls, for logs, metrics and traces.
///
/// Everything is told on an event loop of the client, where an observer must never wait.
public protocol ClientObserver: Sendable {
    /// The client has a connection on which calls can be made.
    func connectionOpened(_ peer: Peer)
    /// That connection is closed.
    ///
    /// - Parameter reason: why, in words; nil when the client has closed it, or the server has without saying why.
    func connectionClosed(_ peer: Peer, _ reason: String?)
    /// A call is over, after all its attempts.
    func callEnded(_ call: ClientCallRecord)
}

extension ClientObserver {
    public func connectionOpened(_ peer: Peer) {}
    public func connectionClosed(_ peer: Peer, _ reason: String?) {}
    public func callEnded(_ call: ClientCallRecord) {}
}

/// What became of a call, as its client sees it.
public struct ClientCallRecord: Sendable {
    /// `/package.Service/Method`.
    public var path: String
    /// The server of the last attempt; nil if there was none.
    public var peer: Peer?
    /// How the call ended.
    public var status: GRPCStatus
    /// From the call's beginning to its end, the time to connect and all attempts included.
    public var duration: Duration
    /// Attempts that were started on a connection.
    public var attempts: Int
    /// Bytes of the request's messages given to the connections of all attempts, with prefixes of five bytes.
    public var bytesSent: Int
    /// Bytes of the response's messages, with their prefixes.
    public var bytesReceived: Int
}
