internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// What a server is doing just now, for whoever watches it. Asking costs nothing until somebody asks.
extension GRPCServer {
    /// The connections that are open now.
    public var connectionCount: Int { connections.count }

    /// Counts the open calls of all connections, each on its event loop.
    public func callCount() async -> Int {
        await connections.callCount()
    }

    /// Waits until every event loop has had a turn. It returns late, or never, if a handler blocks one of them.
    public func everyEventLoopResponds() async {
        for loop in MultiThreadedEventLoopGroup.singleton.makeIterator() {
            try? await loop.submit {}.get()
        }
    }
}

extension ConnectionRegistry {
    fileprivate func callCount() async -> Int {
        let count = Mutex(0)
        let channels = openChannels
        for channel in channels {
            channel.pipeline.fireUserInboundEventTriggered(
                ConnectionAction<ServerConnection> { connection in
                    let calls = connection.streams.count
                    count.withLock { $0 += calls }
                })
        }
        // An event loop does one after the other.
        for channel in channels { try? await channel.eventLoop.submit {}.get() }
        return count.withLock { $0 }
    }
}
