internal import NIOCore
internal import Synchronization

/// Admits the connections of peers that have not too many of them (`PeerTable`), and counts them until they close.
final class PeerAdmission: Sendable {
    private let table: Mutex<PeerTable>
    private let log: ServerLog

    /// - Returns: nil if no peer is limited.
    init?(_ limits: ServerLimits, log: ServerLog) {
        let (maxOpen, maxNew) = (limits.maxConnectionsPerPeer, limits.maxNewConnectionsPerPeer)
        guard maxOpen != nil || maxNew != nil else { return nil }
        table = Mutex(PeerTable(maxOpen: maxOpen, maxNew: maxNew))
        self.log = log
    }

    /// - Throws: if the connection must not be served. The first of several that are refused in a row is logged.
    func admit(_ channel: any Channel, of peer: Peer) throws(ConnectionRefusal) {
        guard let network = peer.ipAddress?.network else { return }
        let outcome = table.withLock { $0.admit(network, at: .now()) }
        guard let outcome else {
            return channel.closeFuture.whenComplete { _ in self.table.withLock { $0.close(network) } }
        }
        let (refusal, reason): (ConnectionRefusal, String) =
            switch outcome.refusal {
            case .tooManyConnections:
                (.tooManyOfPeer, "the peer has too many connections: new ones are closed")
            case .tooManyNewConnections:
                (.tooManyNewOfPeer, "the peer connects too often: new connections are closed")
            }
        if outcome.isNews { log.connectionFailed(reason, of: peer, isClientsFault: true) }
        throw refusal
    }
}
