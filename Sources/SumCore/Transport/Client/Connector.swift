internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// Connects to a target until it responds or the time is up.
struct Connector {
    let target: Target
    let limit: Duration
    let keepalive: Keepalive?
    let eventLoop: any EventLoop
    /// Called with the current problem whenever an attempt fails.
    let report: @Sendable (String) -> Void

    func connect() async throws(GRPCStatus) -> ReadyConnection {
        let clock = ContinuousClock()
        let end = clock.now + limit
        // gRPC's initial backoff is one second, but a local server starts within milliseconds.
        var backoff = Backoff(first: .milliseconds(20), longest: .seconds(120))
        var earlier: Failure?
        while true {
            do throws(Failure) {
                return try await attempt(within: clock.now.duration(to: end))
            } catch {
                let pause = backoff.next()
                // The time limit may have cut the last attempt short; the failure before it is more informative.
                let telling = clock.now < end ? error : earlier ?? error
                guard error.isTemporary, clock.now + pause < end else { throw status(telling) }
                earlier = error
                report(error.reason)
                do { try await Task.sleep(for: pause) } catch {
                    throw GRPCStatus(code: .cancelled, message: "connecting was cancelled")
                }
            }
        }
    }

    private struct Failure: Error {
        var reason: String
        /// Whether another attempt may succeed.
        var isTemporary: Bool
    }

    private func status(_ failure: Failure) -> GRPCStatus {
        GRPCStatus(code: .unavailable, message: "cannot connect to \(target): \(failure.reason)")
    }

    /// Tries every endpoint once. A silent endpoint leaves the others their share of the time.
    private func attempt(within limit: Duration) async throws(Failure) -> ReadyConnection {
        let clock = ContinuousClock()
        let end = clock.now + limit
        var failures: [Failure] = []
        for (index, endpoint) in target.endpoints.enumerated() {
            let share = clock.now.duration(to: end) / (target.endpoints.count - index)
            do throws(Failure) {
                return try await attempt(endpoint, within: max(share, .milliseconds(1)))
            } catch {
                failures.append(error)
            }
        }
        throw Failure(
            reason: failures.map(\.reason).joined(separator: "; "),
            isTemporary: failures.contains { $0.isTemporary })
    }

    private func attempt(_ endpoint: Target.Endpoint, within limit: Duration) async throws(Failure)
        -> ReadyConnection
    {
        let limit = TimeAmount.nanoseconds(limit.wholeNanoseconds)
        // One entry per channel: racing addresses opens several channels, and we get one of them.
        let attempts = Mutex<[ObjectIdentifier: PendingConnection]>([:])
        var bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(limit)
            .channelOption(.recvAllocator, value: SocketBuffers.readAllocator)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    // Added before the channel reads, so that none of the server's bytes are lost.
                    let ready = channel.eventLoop.makePromise(of: Void.self)
                    let handler = ConnectionHandler(
                        try ClientConnection(keepalive: keepalive) { ready.completeWith($0.mapError { $0 }) })
                    try channel.pipeline.syncOperations.addHandler(handler)
                    let pending = PendingConnection(
                        handler: NIOLoopBound(handler, eventLoop: channel.eventLoop),
                        ready: ready.futureResult)
                    attempts.withLock { $0[ObjectIdentifier(channel)] = pending }
                }
            }
        if case .host = endpoint {
            bootstrap = bootstrap.channelOption(
                .tcpOption(.tcp_notsent_lowat), value: SocketBuffers.unsentLimit)
        }
        if case .host = endpoint, let keepalive {
            // Data sent into a dead network ends the connection as soon as a PING would (grpc/proposal A18).
            bootstrap = bootstrap.channelOption(
                .tcpOption(.tcp_user_timeout), value: keepalive.timeout.asUserTimeout)
        }
        do {
            let channel: any Channel
            switch endpoint {
            case .host(let host, let port):
                channel = try await bootstrap.connect(host: host, port: port).get()
            case .unix(let path):
                channel = try await bootstrap.connect(to: SocketAddress(unixPath: path)).get()
            }
            guard let pending = attempts.withLock({ $0[ObjectIdentifier(channel)] }) else {
                throw ConnectFailure(description: "the connection was not set up")
            }
            report(Self.silence)
            try await pending.completed(on: channel, within: limit)
            return ReadyConnection(
                peer: Peer(
                    address: channel.remoteAddress.map(\.text) ?? target.description),
                channel: channel,
                handler: pending.handler)
        } catch {
            throw Self.judge(error, endpoint)
        }
    }

    private static let silence = "the server took the connection but said nothing"

    /// A connection that is not ready yet.
    private struct PendingConnection: Sendable {
        var handler: NIOLoopBound<ConnectionHandler<ClientConnection>>
        /// Completes when the server's SETTINGS have arrived.
        var ready: EventLoopFuture<Void>

        func completed(on channel: any Channel, within limit: TimeAmount) async throws {
            let silence = channel.eventLoop.scheduleTask(in: limit) { [handler] in
                handler.value.run { $0.giveUp(Connector.silence) }
            }
            defer { silence.cancel() }
            try await withTaskCancellationHandler {
                try await ready.get()
            } onCancel: { [handler] in
                channel.eventLoop.execute {
                    handler.value.run { $0.giveUp("connecting was cancelled") }
                }
            }
        }
    }

    private static func judge(_ error: any Error, _ endpoint: Target.Endpoint) -> Failure {
        switch error {
        case let error as ConnectFailure:
            return Failure(reason: error.description, isTemporary: error.isTemporary)
        case let error as NIOConnectionError where error.connectionErrors.isEmpty:
            return Failure(reason: FailureText.unresolved(error.host), isTemporary: false)
        case let error as InvalidAddress:
            return Failure(reason: error.description, isTemporary: false)
        case let error as NIOConnectionError:
            let reasons = error.connectionErrors.map { failure in
                let address = failure.target.text
                return address == Target.describe(endpoint)
                    ? FailureText.describe(failure.error)
                    : "\(address): \(FailureText.describe(failure.error))"
            }
            return Failure(reason: reasons.joined(separator: "; "), isTemporary: true)
        default:
            return Failure(reason: FailureText.describe(error), isTemporary: true)
        }
    }
}
