/// Observes a client's connections and calls, for logs, metrics and traces.
///
/// All methods but `callBegan` are called on an event loop of the client, and none may block.
public protocol ClientObserver: Sendable {
    /// The target has these addresses from now on, in the order in which they are tried unless they are shuffled.
    func targetResolved(to addresses: [String])
    /// A name of the target cannot be resolved. The client tries again; addresses that it knows stay in use.
    ///
    /// - Parameter reason: the reason as text.
    func targetNotResolved(_ reason: String)
    /// An attempt to connect to one of the addresses has failed.
    ///
    /// - Parameters:
    ///   - peer: the address.
    ///   - reason: the reason as text.
    func connectionFailed(_ peer: Peer, _ reason: String)
    /// The TLS handshake with a server has ended.
    func handshakeEnded(_ result: TLSHandshakeResult, _ peer: Peer)
    /// A connection is open and ready for calls, of which none has begun yet.
    func connectionOpened(_ peer: Peer)
    /// The connection has closed.
    ///
    /// - Parameters:
    ///   - peer: the server.
    ///   - reason: the reason as text; nil if the client closed it, or the server closed it without giving a reason.
    func connectionClosed(_ peer: Peer, _ reason: String?)
    /// A call begins. Called on the thread that begins it, by its task if it is one, before anything is sent.
    ///
    /// - Returns: an observer for this call; nil for none.
    func callBegan(_ call: ClientCallStart) -> (any ClientCallObserver)?
    /// A call has ended, after all its attempts.
    func callEnded(_ call: ClientCallRecord)
}

extension ClientObserver {
    public func targetResolved(to addresses: [String]) {}
    public func targetNotResolved(_ reason: String) {}
    public func connectionFailed(_ peer: Peer, _ reason: String) {}
    public func handshakeEnded(_ result: TLSHandshakeResult, _ peer: Peer) {}
    public func connectionOpened(_ peer: Peer) {}
    public func connectionClosed(_ peer: Peer, _ reason: String?) {}
    public func callBegan(_ call: ClientCallStart) -> (any ClientCallObserver)? { nil }
    public func callEnded(_ call: ClientCallRecord) {}
}
