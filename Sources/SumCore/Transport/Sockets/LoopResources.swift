internal import NIOCore
internal import Synchronization

/// What the connections of one event loop share. Use on that loop only.
final class LoopResources {
    let turns: TurnQueue
    let buffers = ReceiveBuffers()
    let sessions = SessionMemory()

    init(eventLoop: any EventLoop) {
        turns = TurnQueue(eventLoop: eventLoop)
    }
}

/// The resources of all event loops of a server.
final class LoopResourcesByLoop: Sendable {
    private let resources = Mutex<[ObjectIdentifier: NIOLoopBound<LoopResources>]>([:])

    /// Returns the resources of an event loop. Must be called on that loop.
    func resources(of eventLoop: any EventLoop) -> LoopResources {
        resources.withLock { resources in
            if let known = resources[ObjectIdentifier(eventLoop)] { return known }
            let new = NIOLoopBound(LoopResources(eventLoop: eventLoop), eventLoop: eventLoop)
            resources[ObjectIdentifier(eventLoop)] = new
            return new
        }.value
    }
}
