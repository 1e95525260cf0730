/// Who a limit per caller counts: the principal of a call if it has one, or else the address.
enum Caller: Hashable, Sendable {
    case principal(String)
    case network(IPAddress)

    /// - Returns: nil for a peer without a name and an IP address, which no such limit applies to.
    init?(_ peer: Peer) {
        if let principal = peer.principal {
            self = .principal(principal)
        } else if let address = peer.ipAddress {
            self = .network(address.network)
        } else {
            return nil
        }
    }
}
