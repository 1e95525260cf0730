import Logging
import SumCore
import SumTelemetry

/// A second server on an address of its own, with gRPC services for operators. It tells of the first, and not of itself.
struct AdminServer {
    let channelz = Channelz(name: "sum-server")
    private let server: GRPCServer

    /// Connections at the same time.
    private static let maxConnections = 8

    /// Starts to listen.
    init(on address: ListenAddress, _ settings: ServerSettings, logger: Logger) async throws {
        var limits = ServerSettings.defaultLimits
        limits.maxConnections = Self.maxConnections
        limits.unixSocketMode = settings.limits.unixSocketMode
        server = try await GRPCServer.start(
            listeningOn: [address], methods: channelz.methods, configuration: limits, logger: logger)
        for address in server.addresses {
            // Not on standard output: programs read the addresses of the first server there.
            logger.info("serving channelz for operators", metadata: ["address": "\(address)"])
        }
    }

    func close() async {
        await server.shutdown(within: .seconds(1))
    }
}
