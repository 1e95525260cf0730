internal import NIOCore

/// Finds out whose a new connection is, if a proxy may have made it for somebody else, and whether it may stay.
struct PeerIdentification: Sendable {
    private let believed: TrustedNetworks?
    private let limit: TimeAmount
    private let admission: PeerAdmission?
    private let log: ServerLog
    private let observers: [any ServerObserver]

    /// - Parameter observers: are told of connections that are refused after `begin` has returned.
    init(_ limits: ServerLimits, log: ServerLog, observers: [any ServerObserver]) {
        believed = limits.proxyProtocol
        limit = TimeAmount(limits.handshakeTimeout)
        admission = PeerAdmission(limits, log: log)
        self.log = log
        self.observers = observers
    }

    /// Call this before any other handler is added to the channel.
    ///
    /// - Parameter handler: is told the address of the client behind a proxy, before it becomes active.
    /// - Throws: `ConnectionRefusal` if the connection must not be served.
    func begin(_ channel: any Channel, _ handler: ConnectionHandler<ServerConnection>) throws {
        // Most servers need not know.
        guard believed != nil || admission != nil else { return }
        let peer = Peer(address: channel.remoteAddress.map(\.text) ?? "")
        guard believed?.contains(peer) == true else {
            try admission?.admit(channel, of: peer)
            return
        }
        try channel.pipeline.syncOperations.addHandler(
            ProxyHeaderHandler(limit: limit) { header in
                if case .client(let address) = header { handler.peerAddress = address }
                let client = Peer(address: handler.peerAddress ?? peer.address)
                do throws(ConnectionRefusal) {
                    try admission?.admit(channel, of: client)
                } catch {
                    for observer in observers { observer.connectionRefused(error, client) }
                    throw error
                }
            } fail: { reason in
                log.connectionFailed(reason, of: peer, isClientsFault: true)
                for observer in observers { observer.connectionRefused(.noProxyHeader, peer) }
            })
    }
}
