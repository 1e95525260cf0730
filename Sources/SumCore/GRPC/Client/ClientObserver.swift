/// Observes a client's connections and calls, for logs, metrics and traces.
///
/// All methods are called on an event loop of the client and must never block.
public protocol ClientObserver: Sendable {
    /// The target has these addresses from now on, in the order in which they are tried unless they are shuffled.
    func targetResolved(to addresses: [String])
    /// A name of the target cannot be resolved. The client tries again; addresses that it knows stay in use.
    ///
    /// - Parameter reason: the reason as text.
    func targetNotResolved(_ reason: String)
    /// An attempt to connect to one of the addresses has failed.
    ///
    /// - Parameter reason: the reason as text.
    func connectionFailed(_ peer: Peer, _ reason: String)
    /// A connection is open and ready for calls, of which none has begun yet.
    func connectionOpened(_ peer: Peer)
    /// The connection has closed.
    ///
    /// - Parameter reason: the reason as text; nil if the client closed it, or the server closed it without giving a
    ///   reason.
    func connectionClosed(_ peer: Peer, _ reason: String?)
    /// A call has ended, after all its attempts.
    func callEnded(_ call: ClientCallRecord)
}

extension ClientObserver {
    public func targetResolved(to addresses: [String]) {}
    public func targetNotResolved(_ reason: String) {}
    public func connectionFailed(_ peer: Peer, _ reason: String) {}
    public func connectionOpened(_ peer: Peer) {}
    public func connectionClosed(_ peer: Peer, _ reason: String?) {}
    public func callEnded(_ call: ClientCallRecord) {}
}

/// The outcome of a call, from the client's side.
public struct ClientCallRecord: Sendable {
    /// `/package.Service/Method`.
    public var path: String
    /// The server of the last attempt; nil if there was none.
    public var peer: Peer?
    /// How the call ended.
    public var status: GRPCStatus
    /// The time from the beginning of the call to its end, including connecting and all attempts.
    public var duration: Duration
    /// The number of attempts that were started on a connection.
    public var attempts: Int
    /// Bytes of request messages passed to the connections of all attempts, including the five-byte prefixes.
    public var bytesSent: Int
    /// Bytes of response messages, including the five-byte prefixes.
    public var bytesReceived: Int
}
