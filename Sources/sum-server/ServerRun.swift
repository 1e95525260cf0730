import Logging
import SumCore
import SumTelemetry

/// The server from its start to its end.
struct ServerRun {
    private let settings: ServerSettings
    private let logger: Logger
    private let server: GRPCServer
    private let health: Health
    private let telemetry: Telemetry
    /// What is read again at intervals, and when asked.
    private let subjects: [any Reloadable]
    private let supervision = Supervision(ServiceManager())

    /// Reads the files of TLS; nil for clear text.
    private static func loadTLS(_ settings: ServerSettings, logger: Logger) throws -> ServerTLS? {
        guard var configuration = settings.tls else { return nil }
        let warn = { (text: String) in logger.warning("\(text)") }
        configuration.keyLog = try TLSKeyLog.fromEnvironment(warn: warn)
        let tls = try ServerTLS(configuration)
        if let warning = tls.warning { warn(warning) }
        return tls
    }

    /// Starts to serve.
    ///
    /// - Throws: what is wrong with a file, a limit, or an address.
    init(_ settings: ServerSettings, at addresses: [ListenAddress], logger: Logger) async throws {
        let tls = try Self.loadTLS(settings, logger: logger)
        let tokens = try settings.callers.tokenFile.map { try TokenFile($0) }
        if let warning = tokens?.warning { logger.warning("\(warning)") }
        var configuration = settings.limits
        configuration.authorize = settings.callers.authorizer(tokens: tokens?.table)
        let health = Health(services: [SumNumbers.service])
        var methods = [
            SumNumbers.method(overflow: settings.overflow, maxMessageSize: settings.maxMessageSize)
        ]
        if settings.hostsHealth {
            methods += health.methods.map { settings.callers.opensHealth ? $0.openToAll() : $0 }
        }
        if settings.hostsReflection { methods += Reflection(of: methods).methods }
        let telemetry = try await Telemetry(settings, logger: logger)
        let server = try await GRPCServer.start(
            // Unix domain sockets stay in clear text.
            listeningOn: addresses.map { ListenEndpoint($0, tls: $0.isUnix ? nil : tls) },
            methods: methods, configuration: configuration, observers: telemetry.observers, logger: logger)
        telemetry.serving(at: server.addresses.map(\.description))
        for address in server.addresses { LineWriter.standardOutput.write("listening on \(address)\n") }
        supervision.serving(server)
        self.settings = settings
        self.logger = logger
        self.server = server
        self.health = health
        self.telemetry = telemetry
        subjects = [tls as (any Reloadable)?, tokens].compactMap { $0 }
    }

    /// Serves until `stop` yields the name of a signal, then shuts down and exits. A second name ends the drain delay.
    ///
    /// - Parameter reloads: yields the name of a signal when files are to be read again.
    func serve(until stop: AsyncStream<String>, reloads: AsyncStream<String>) async {
        Task { await reload(on: reloads) }
        var shutdown: Task<Void, Never>?
        for await signal in stop {
            if let shutdown {
                shutdown.cancel()
            } else {
                shutdown = Task { await shutDown(because: signal) }
            }
        }
    }

    /// Reads files again at intervals and when asked, until the process ends.
    private func reload(on requests: AsyncStream<String>) async {
        let reloader =
            subjects.isEmpty ? nil : Reloader(subjects, observers: telemetry.observers, logger: logger)
        if let reloader { Task { await reloader.run { [supervision] in supervision.reloaded() } } }
        for await signal in requests {
            if let reloader {
                supervision.reloading()
                reloader.reload()
            } else {
                logger.info("there is nothing to reload", metadata: ["signal": "\(signal)"])
            }
        }
    }

    /// Shuts down and exits. Cancelling the task ends the drain delay.
    private func shutDown(because signal: String) async {
        telemetry.draining()
        let drainDelay = settings.drainDelay
        // A second for what is around them.
        supervision.draining(within: drainDelay + settings.drainTimeout + .seconds(1))
        if drainDelay > .zero {
            health.stopServing()
            logger.info(
                "\(settings.hostsHealth ? "health is NOT_SERVING, " : "")serving until the drain delay has passed",
                metadata: ["signal": "\(signal)", "drain-delay": "\(drainDelay.text)"])
            try? await Task.sleep(for: drainDelay)
        }
        logger.info(
            "stopping", metadata: ["signal": "\(signal)", "drain-timeout": "\(settings.drainTimeout.text)"])
        health.shutDown()
        let allEnded = await server.shutdown(within: settings.drainTimeout)
        await telemetry.close()
        guard allEnded else {
            logger.warning("calls were cut off: they did not finish within the drain timeout")
            SumServer.end(1)
        }
        SumServer.end(0)
    }
}
