internal import Logging
internal import NIOCore
internal import NIOPosix
internal import SystemPackage

/// An address that could not be listened on, and why.
public struct ListenError: Error, CustomStringConvertible {
    public var address: ListenAddress
    public var reason: String

    public var description: String { "cannot listen on \(address): \(reason)" }
}

/// Opens listening sockets.
struct ListenerBinder: Sendable {
    private let logger: Logger
    /// How long a client may leave what it was sent without TCP's acknowledgement.
    private let userTimeout: TimeAmount
    /// Prepares an accepted connection, on its event loop; what it throws has the connection closed.
    private let initializer: @Sendable (any Channel) throws -> Void

    init(
        logger: Logger, userTimeout: TimeAmount, initializer: @escaping @Sendable (any Channel) throws -> Void
    ) {
        self.logger = logger
        self.userTimeout = userTimeout
        self.initializer = initializer
    }

    func bind(_ address: ListenAddress) async throws(ListenError) -> [any Channel] {
        do {
            switch address {
            case .host(let host, let port):
                return [try await tcpBootstrap.bind(host: host, port: port).get()]
            case .allInterfaces(let port):
                return try await bindAllInterfaces(port: port)
            case .unix(let path):
                let socket = try SocketAddress(unixPath: path)
                guard await !UnixSocketFile.isAnswered(socket) else {
                    throw ListenError(address: address, reason: "\(Errno.addressInUse)")
                }
                try UnixSocketFile.removeLeftover(path)
                return [try await bootstrap.bind(to: socket).get()]
            }
        } catch let error as ListenError {
            throw error
        } catch {
            throw ListenError(address: address, reason: FailureText.describe(error))
        }
    }

    /// One IPv6 socket takes IPv4 connections too, as NIO sets it up (IPV6_V6ONLY off); a machine without IPv6 gets an IPv4 socket.
    private func bindAllInterfaces(port: Int) async throws -> [any Channel] {
        do {
            return [try await tcpBootstrap.bind(host: "::", port: port).get()]
        } catch let error as IOError
            where Self.meansNoIPv6(Errno(rawValue: error.errnoCode))
        {
            return [try await tcpBootstrap.bind(host: "0.0.0.0", port: port).get()]
        }
    }

    private static func meansNoIPv6(_ error: Errno) -> Bool {
        error == .addressFamilyNotSupported || error == .addressNotAvailable
    }

    private var tcpBootstrap: ServerBootstrap {
        bootstrap.childChannelOption(.tcpOption(.tcp_user_timeout), value: userTimeout.asUserTimeout)
    }

    private var bootstrap: ServerBootstrap {
        let (logger, initializer) = (logger, initializer)
        return ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptBackoff(logger: logger))
                }
            }
            // One read a turn, so that connections take turns (and see `ReceiveBuffers`).
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try initializer(channel) }
            }
    }
}
