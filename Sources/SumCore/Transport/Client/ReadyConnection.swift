internal import NIOCore

/// A connection whose server has sent its SETTINGS: calls can be made on it.
struct ReadyConnection: Sendable {
    var peer: Peer
    var channel: any Channel
    var handler: NIOLoopBound<ConnectionHandler<ClientConnection>>
}
