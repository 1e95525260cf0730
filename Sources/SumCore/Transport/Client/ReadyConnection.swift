internal import NIOCore

/// A connection whose server has sent its SETTINGS, so that calls can be made.
final class ReadyConnection: Sendable {
    let peer: Peer
    let channel: any Channel
    let eventLoop: any EventLoop
    let handler: NIOLoopBound<ConnectionHandler<ClientConnection>>
    /// Completes when the connection takes no more calls: the server has said GOAWAY, or it is closed.
    let goingAway: EventLoopFuture<Void>

    init(
        peer: Peer, channel: any Channel, handler: NIOLoopBound<ConnectionHandler<ClientConnection>>,
        goingAway: EventLoopFuture<Void>
    ) {
        self.peer = peer
        self.channel = channel
        eventLoop = channel.eventLoop
        self.handler = handler
        self.goingAway = goingAway
    }

    /// Runs an action on the connection, on its event loop.
    func execute(_ action: @escaping @Sendable (ClientConnection) -> Void) {
        eventLoop.execute { [handler] in handler.value.run(action) }
    }
}
