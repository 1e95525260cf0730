internal import NIOCore

/// A connection whose server has sent its SETTINGS, so that calls can be made.
struct ReadyConnection: Sendable {
    var peer: Peer
    var channel: any Channel
    var handler: NIOLoopBound<ConnectionHandler<ClientConnection>>
}
