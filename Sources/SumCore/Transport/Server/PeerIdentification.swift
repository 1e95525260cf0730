internal import NIOCore

/// Finds out whose a new connection is, if a proxy may have made it for somebody else, and whether it may stay.
struct PeerIdentification: Sendable {
    private let believed: TrustedNetworks?
    private let limit: TimeAmount
    private let admission: PeerAdmission?
    private let log: ServerLog

    init(_ limits: ServerLimits, log: ServerLog) {
        believed = limits.proxyProtocol
        limit = TimeAmount(limits.handshakeTimeout)
        admission = PeerAdmission(limits, log: log)
        self.log = log
    }

    /// Call this before any other handler is added to the channel.
    ///
    /// - Parameter handler: is told the address of the client behind a proxy, before it becomes active.
    /// - Throws: `ConnectionRegistry.Refusal` if the connection must not be served.
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
                try admission?.admit(channel, of: Peer(address: handler.peerAddress ?? peer.address))
            } fail: { reason in
                log.connectionFailed(reason, of: peer, isClientsFault: true)
            })
    }
}
