internal import Glibc
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import SystemPackage

/// A listening socket.
struct Listener: Sendable {
    var channel: any Channel
    /// The file of a Unix domain socket.
    var file: UnixSocketFile?

    func close() async {
        file?.remove()
        try? await channel.close()
    }
}

/// Opens listening sockets.
struct ListenerFactory: Sendable {
    /// Connections that may wait to be accepted (listen(2)).
    private static let backlog: CInt = 1024
    /// The same for an inherited socket: SOMAXCONN, as systemd has it. Nobody can ask a socket for its own.
    private static let inheritedBacklog: CInt = 4096

    let logger: Logger
    let log: ServerLog
    /// How long sent data may stay unacknowledged by TCP before the connection is closed.
    let userTimeout: TimeAmount
    /// The permissions of Unix domain sockets; nil: set by the umask.
    let socketMode: UInt16?
    /// Serves the connections.
    var group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    /// Are told of connections that are refused.
    var observers: [any ServerObserver] = []
    /// Prepares an accepted connection, on its event loop. If it throws, the connection is closed.
    let initializer: @Sendable (any Channel, ListenEndpoint) throws -> Void

    func bind(_ endpoint: ListenEndpoint) async throws(ListenError) -> Listener {
        do {
            switch endpoint.address {
            case .host(let host, let port):
                return Listener(channel: try await tcpBootstrap(endpoint).bind(host: host, port: port).get())
            case .allInterfaces(let port):
                return Listener(channel: try await bindAllInterfaces(endpoint, port: port))
            case .unix(let path):
                return try await bindUnix(endpoint, path)
            case .inherited(let descriptor, let isUnix):
                let bootstrap = isUnix ? bootstrap(endpoint) { _ in } : tcpBootstrap(endpoint)
                let channel = try await bootstrap.withBoundSocket(descriptor).get()
                // NIO has called listen(2), and so has shortened the queue that a service manager gave the socket.
                listen(descriptor, Self.inheritedBacklog)
                return Listener(channel: channel)
            }
        } catch {
            throw ListenError(address: endpoint.address, reason: FailureText.describe(error))
        }
    }

    private func bindUnix(_ endpoint: ListenEndpoint, _ path: String) async throws -> Listener {
        let address = try SocketAddress(unixPath: path)
        let file = try await UnixSocketFile(claiming: path, at: address)
        do {
            let descriptor = try file.bind(to: address, mode: socketMode)
            let channel = try await bootstrap(endpoint) { _ in }.withBoundSocket(descriptor).get()
            // NIO calls listen(2) with a backlog of its own.
            listen(descriptor, Self.backlog)
            return Listener(channel: channel, file: file)
        } catch {
            file.remove()
            throw error
        }
    }

    /// Binds one IPv6 socket, which accepts IPv4 connections too, because NIO leaves IPV6_V6ONLY off. On a machine
    /// without IPv6, binds an IPv4 socket.
    private func bindAllInterfaces(_ endpoint: ListenEndpoint, port: Int) async throws -> any Channel {
        do {
            return try await tcpBootstrap(endpoint).bind(host: "::", port: port).get()
        } catch let error as IOError
            where Self.meansNoIPv6(Errno(rawValue: error.errnoCode))
        {
            return try await tcpBootstrap(endpoint).bind(host: "0.0.0.0", port: port).get()
        }
    }

    private static func meansNoIPv6(_ error: Errno) -> Bool {
        error == .addressFamilyNotSupported || error == .addressNotAvailable
    }

    private func tcpBootstrap(_ endpoint: ListenEndpoint) -> ServerBootstrap {
        bootstrap(endpoint) { [userTimeout] channel in
            let options = channel.syncOptions
            try options?.setOption(.tcpOption(.tcp_user_timeout), value: userTimeout.asUserTimeout)
        }
    }

    /// - Parameter setOptions: sets the socket options that are specific to the kind of socket on an accepted
    ///   connection.
    private func bootstrap(
        _ endpoint: ListenEndpoint, _ setOptions: @escaping @Sendable (any Channel) throws -> Void
    ) -> ServerBootstrap {
        ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: Self.backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { [logger] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptBackoff(logger: logger))
                }
            }
            // One read per turn of the loop, so that connections take turns. `ReceiveBuffers` relies on it.
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelInitializer { [self] channel in
                channel.eventLoop.makeCompletedFuture {
                    do {
                        try setOptions(channel)
                        try initializer(channel, endpoint)
                    } catch {
                        refused(channel, error)
                        throw error
                    }
                }
            }
    }

    /// Tells why a connection is closed; NIO does not report the error.
    private func refused(_ channel: any Channel, _ error: any Error) {
        let peer = Peer(address: channel.remoteAddress.map(\.text) ?? "")
        let refusal = error as? ConnectionRefusal
        // Who refused it has logged it.
        if refusal == nil {
            log.connectionFailed(
                "the connection could not be set up: \(FailureText.describe(error))",
                of: peer, isClientsFault: true)
        }
        for observer in observers { observer.connectionRefused(refusal ?? .setupFailed, peer) }
    }
}
