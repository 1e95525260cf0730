package import Logging
package import NIOCore

/// A listening socket that is not for gRPC, such as that of an operator's pages.
package struct PlainListener: Sendable {
    /// The address as a client writes it.
    package let address: String
    private let listener: Listener

    /// Opens the socket.
    ///
    /// - Parameters:
    ///   - group: serves the connections.
    ///   - socketMode: the permissions of a Unix domain socket; nil: set by the umask.
    ///   - initializer: prepares an accepted connection, on its event loop. If it throws, the connection is closed.
    package init(
        on address: ListenAddress, group: any EventLoopGroup, socketMode: UInt16? = nil, logger: Logger,
        initializer: @escaping @Sendable (any Channel) throws -> Void
    ) async throws(ListenError) {
        let factory = ListenerFactory(
            logger: logger, log: ServerLog(logger: logger), userTimeout: .seconds(30), socketMode: socketMode,
            group: group
        ) { channel, _ in try initializer(channel) }
        listener = try await factory.bind(ListenEndpoint(address))
        self.address = listener.channel.localAddress?.text ?? "\(address)"
    }

    /// Accepts no more connections. Those that are open stay.
    package func close() async {
        await listener.close()
    }
}
