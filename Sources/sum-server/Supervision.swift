import SumCore
import Synchronization

/// Tells systemd, or another service manager, how the server is. Without one, it does nothing.
final class Supervision: Sendable {
    private enum Phase {
        case serving
        case draining
    }

    private static let statusInterval = Duration.seconds(5)

    private let manager: ServiceManager?
    private let phase = Mutex(Phase.serving)

    init(_ manager: ServiceManager?) {
        self.manager = manager
    }

    /// The server listens, and has read all its files.
    func serving(_ server: GRPCServer) {
        guard let manager else { return }
        manager.tell(.ready, .status("serving on \(Self.list(server.addresses))"))
        Task { await reportStatus(of: server, to: manager) }
        if let timeout = manager.watchdogTimeout {
            Task { await feedWatchdog(of: server, every: timeout / 2, manager) }
        }
    }

    func reloading() {
        manager?.tell(.reloading)
    }

    func reloaded() {
        manager?.tell(.ready)
    }

    /// - Parameter limit: how long the server may take to end.
    func draining(within limit: Duration) {
        phase.withLock { $0 = .draining }
        manager?.tell(.stopping(within: limit), .status("draining"))
    }

    private static func list(_ addresses: [NetworkAddress]) -> String {
        addresses.map(\.description).joined(separator: ", ")
    }

    private func reportStatus(of server: GRPCServer, to manager: ServiceManager) async {
        let addresses = Self.list(server.addresses)
        var told = ""
        while (try? await Task.sleep(for: Self.statusInterval)) != nil {
            let (connections, calls) = (server.connectionCount, await server.callCount())
            let load = "\(calls) open calls on \(connections) connections"
            let status =
                switch phase.withLock({ $0 }) {
                case .serving: "serving on \(addresses): \(load)"
                case .draining: "draining: \(load)"
                }
            if status != told { manager.tell(.status(status)) }
            told = status
        }
    }

    /// Says that the process is alive as long as its event loops are, and the threads that run tasks. A timer alone would
    /// keep a server alive that serves nobody.
    private func feedWatchdog(of server: GRPCServer, every interval: Duration, _ manager: ServiceManager)
        async
    {
        repeat {
            await server.everyEventLoopResponds()
            manager.tell(.alive)
        } while (try? await Task.sleep(for: interval)) != nil
    }
}
