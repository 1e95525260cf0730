internal import NIOCore

/// Makes the connections of a server from the channels it gets.
struct ServerConnectionFactory: Sendable {
    let methods: [String: GRPCMethod]
    let limits: ServerLimits
    let observers: [any ServerObserver]
    let registry: ConnectionRegistry
    let identification: PeerIdentification
    let callCounter: CallCounter?
    private let loops = LoopResourcesByLoop()

    init(
        methods: [String: GRPCMethod], limits: ServerLimits, observers: [any ServerObserver],
        registry: ConnectionRegistry, log: ServerLog
    ) {
        self.methods = methods
        self.limits = limits
        self.observers = observers
        self.registry = registry
        identification = PeerIdentification(limits, log: log, observers: observers)
        callCounter = limits.maxCallsPerCaller.map(CallCounter.init)
    }

    /// Prepares a channel that a listener has accepted, on its event loop.
    ///
    /// - Throws: `ConnectionRefusal` if the connection must not be served; any error of the channel.
    func prepare(_ channel: any Channel, of endpoint: ListenEndpoint) throws {
        try registry.add(channel)
        let resources = loops.resources(of: channel.eventLoop)
        let handler = ConnectionHandler(
            try makeConnection(resources), resources: resources, borrowsBuffers: endpoint.tls == nil)
        try identification.begin(channel, handler)
        if let tls = endpoint.tls {
            try tls.addHandlers(
                to: channel, limit: TimeAmount(limits.handshakeTimeout), resources: resources
            ) { [handler, observers, address = channel.remoteAddress] result in
                let peer = Peer(address: handler.peerAddress ?? address.map(\.text) ?? "")
                for observer in observers { observer.handshakeEnded(result, peer) }
            }
        } else {
            let receiving = resources.buffers.allocator(on: channel.eventLoop)
            try channel.syncOptions?.setOption(.recvAllocator, value: receiving)
        }
        try channel.pipeline.syncOperations.addHandler(handler)
    }

    /// Prepares a channel of a client in this process, on its event loop.
    ///
    /// - Parameter name: what handlers and observers see as the client's address.
    /// - Throws: as `prepare(_:of:)`.
    func prepare(_ channel: any Channel, named name: String) throws {
        try registry.add(channel)
        let resources = loops.resources(of: channel.eventLoop)
        let handler = ConnectionHandler(
            try makeConnection(resources), resources: resources, borrowsBuffers: false)
        handler.peerAddress = name
        try channel.pipeline.syncOperations.addHandler(handler)
    }

    private func makeConnection(_ resources: LoopResources) throws -> ServerConnection {
        try ServerConnection(
            methods: methods, limits: limits, observers: observers, callCounter: callCounter,
            memory: resources.sessions)
    }
}
