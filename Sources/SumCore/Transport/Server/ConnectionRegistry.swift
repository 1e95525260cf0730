internal import Logging
internal import NIOCore
internal import Synchronization

/// The open connections of a server, with a limit on their number.
final class ConnectionRegistry: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var isDraining = false
        /// Whether the limit has been logged since there were clearly fewer connections.
        var isFull = false
    }

    private let limit: Int
    private let logger: Logger
    private let state = Mutex(State())

    init(limit: Int, logger: Logger) {
        self.limit = limit
        self.logger = logger
    }

    /// - Throws: if the connection must not be served.
    func add(_ channel: any Channel) throws(ConnectionRefusal) {
        let id = ObjectIdentifier(channel)
        let (refusal, isNews) = state.withLock { state -> (ConnectionRefusal?, Bool) in
            if state.isDraining { return (.draining, false) }
            guard state.channels.count < limit else {
                defer { state.isFull = true }
                return (.tooManyConnections, !state.isFull)
            }
            state.channels[id] = channel
            return (nil, false)
        }
        if isNews {
            logger.warning("too many connections: new ones are closed", metadata: ["limit": "\(limit)"])
        }
        if let refusal { throw refusal }
        channel.closeFuture.whenComplete { _ in self.remove(id) }
    }

    var count: Int { state.withLock { $0.channels.count } }
    var openChannels: [any Channel] { state.withLock { Array($0.channels.values) } }

    private func remove(_ id: ObjectIdentifier) {
        state.withLock { state in
            state.channels[id] = nil
            if state.channels.count <= limit / 10 * 9 { state.isFull = false }
        }
    }

    /// Drains every connection gracefully.
    ///
    /// - Returns: whether all ended within the limit, so that none had to be cut.
    func drain(within limit: Duration) async -> Bool {
        let channels = state.withLock { state in
            state.isDraining = true
            return Array(state.channels.values)
        }
        guard let first = channels.first else { return true }
        for channel in channels {
            channel.pipeline.fireUserInboundEventTriggered(
                ConnectionAction<ServerConnection> { $0.drain("") })
        }
        let wasCut = Mutex(false)
        let cut = first.eventLoop.scheduleTask(in: .nanoseconds(limit.wholeNanoseconds)) {
            wasCut.withLock { $0 = true }
            for channel in channels { channel.close(promise: nil) }
        }
        try? await EventLoopFuture.andAllComplete(channels.map(\.closeFuture), on: first.eventLoop).get()
        cut.cancel()
        return wasCut.withLock { !$0 }
    }
}
