import ArgumentParser
import Logging
import SumCore

struct SumServerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sum-server",
        abstract: "Adds the numbers that gRPC clients stream, and responds with their sum.",
        discussion: """
            Serves tutorial.NumberService/SumNumbers. When it is listening, it prints one line per address on standard \
            output. Logs go to standard error.

            SIGTERM, SIGINT and SIGQUIT shut it down gracefully: new calls are refused, open calls may finish. \
            With --drain-delay, it first serves as before for that time, while health says NOT_SERVING. A second \
            signal, at least half a second later, ends the delay, or stops a server at once that is already \
            refusing calls. SIGHUP reads the files of --auth-token-file, --tls-cert, --tls-key and --tls-client-ca again, \
            as the server does by itself every 30 seconds: new calls and connections use them, and if anything is wrong \
            with them, nothing changes.

            EXIT STATUS: 0 stopped by a signal, and every call had finished; 1 it could not start or listen, calls \
            were cut off, or a further signal stopped it; 64 wrong usage.
            """,
        version: "sum-server \(Version.current)")

    @OptionGroup var addresses: ListenOptions

    @OptionGroup var tls: TLSOptions

    @Option(
        help: """
            What to do with a sum that does not fit int32: 'error' fails the call, 'wrap' keeps the low 32 bits.
            """)
    var overflow = SumNumbers.Overflow.error

    @Option(
        duration: """
            Time that the server still serves new connections and calls after a signal, while health says \
            NOT_SERVING, so that load balancers turn to other servers first.
            """)
    var drainDelay = Duration.zero

    @Option(duration: "Time for open calls to finish when the server shuts down.")
    var drainTimeout = Duration.seconds(25)

    @OptionGroup var limits: LimitOptions

    @OptionGroup(title: "Callers") var callers: CallerOptions

    @Flag(inversion: .prefixedNo, help: "Host the standard health service, grpc.health.v1.Health.")
    var health = true

    @Flag(inversion: .prefixedNo, help: "Host the standard reflection service, v1 and v1alpha.")
    var reflection = true

    @Option(
        help:
            "Least severe level to log. 'debug' logs every call when it ends, 'trace' also when it begins."
    )
    var logLevel = Logger.Level.info

    func validate() throws {
        let addresses = try addresses.all()
        guard tls.tlsCert == nil || addresses.contains(where: { !$0.isUnix }) else {
            throw ValidationError(
                "--tls-cert needs a TCP address: Unix domain sockets are served in clear text")
        }
        guard callers.allowPeer.isEmpty || callers.authTokenFile != nil || tls.tlsClientCa != nil else {
            throw ValidationError("--allow-peer requires --auth-token-file or --tls-client-ca")
        }
        guard !callers.requireBoth || tls.tlsClientCa != nil else {
            throw ValidationError("--require-both requires --tls-client-ca")
        }
    }

    /// Reads the files of TLS; nil for clear text.
    private func loadTLS(logger: Logger) throws -> ServerTLS? {
        let warn = { (text: String) in logger.warning("\(text)") }
        let keyLog = tls.tlsCert == nil ? nil : try TLSKeyLog.fromEnvironment(warn: warn)
        let tls = try tls.load(keyLog: keyLog)
        if let warning = tls?.warning { warn(warning) }
        return tls
    }

    /// Serves until `stop` yields the name of a signal, then shuts down and exits. A second name ends the drain delay.
    ///
    /// - Parameter reloads: yields the name of a signal when files are to be read again.
    func serve(
        until stop: AsyncStream<String>, reloads: AsyncStream<String>, logger: Logger
    ) async throws {
        let tls = try loadTLS(logger: logger)
        let tokens = try callers.authTokenFile.map { try TokenFile($0) }
        if let warning = tokens?.warning { logger.warning("\(warning)") }
        var configuration = limits.configuration
        callers.apply(to: &configuration, tokens: tokens?.table)
        let healthService = Health(services: [SumNumbers.service])
        var methods = [
            SumNumbers.method(
                overflow: overflow,
                maxMessageSize: limits.maxMessageSize ?? SumNumbers.defaultMaxMessageSize)
        ]
        if health { methods += healthService.methods.map { callers.openHealth ? $0.openToAll() : $0 } }
        if reflection { methods += Reflection(of: methods).methods }
        let server = try await GRPCServer.start(
            // Unix domain sockets stay in clear text.
            listeningOn: try addresses.all().map { ListenEndpoint($0, tls: $0.isUnix ? nil : tls) },
            methods: methods, configuration: configuration,
            logger: logger)
        for address in server.addresses { LineWriter.standardOutput.write("listening on \(address)\n") }
        let subjects = [tls as (any Reloadable)?, tokens].compactMap { $0 }
        Task { await reload(subjects, on: reloads, logger) }
        var shutdown: Task<Void, Never>?
        for await signal in stop {
            if let shutdown {
                shutdown.cancel()
            } else {
                shutdown = Task { await shutDown(server, healthService, because: signal, logger) }
            }
        }
    }

    /// Reads files again at intervals and when asked, until the process ends.
    private func reload(
        _ subjects: [any Reloadable], on requests: AsyncStream<String>, _ logger: Logger
    ) async {
        let reloader = subjects.isEmpty ? nil : Reloader(subjects, logger: logger)
        if let reloader { Task { await reloader.run() } }
        for await signal in requests {
            if let reloader {
                reloader.reload()
            } else {
                logger.info("there is nothing to reload", metadata: ["signal": "\(signal)"])
            }
        }
    }

    /// Shuts down and exits. Cancelling the task ends the drain delay.
    private func shutDown(
        _ server: GRPCServer, _ healthService: Health, because signal: String, _ logger: Logger
    ) async {
        if drainDelay > .zero {
            healthService.stopServing()
            logger.info(
                "\(health ? "health is NOT_SERVING, " : "")serving until the drain delay has passed",
                metadata: ["signal": "\(signal)", "drain-delay": "\(drainDelay.text)"])
            try? await Task.sleep(for: drainDelay)
        }
        logger.info("stopping", metadata: ["signal": "\(signal)", "drain-timeout": "\(drainTimeout.text)"])
        healthService.shutDown()
        guard await server.shutdown(within: drainTimeout) else {
            logger.warning("calls were cut off: they did not finish within the drain timeout")
            SumServer.end(1)
        }
        SumServer.end(0)
    }
}
