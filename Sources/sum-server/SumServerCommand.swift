import ArgumentParser
import Logging
import SumCore
import SystemPackage
import UnixSignals

@main
struct SumServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sum-server",
        abstract: "Adds the numbers that gRPC clients stream, and answers with their sum.",
        discussion: """
            Serves tutorial.NumberService/SumNumbers. Prints one line an address on standard output once it \
            listens; logs go to standard error.

            SIGTERM or SIGINT: new calls are refused and those in flight finish. A second signal ends at once.

            EXIT STATUS: 0 all calls had finished; 1 the server could not listen, or calls were cut; 64 wrong usage.
            """,
        version: "sum-server \(Version.current)")

    @OptionGroup var addresses: ListenOptions

    @Option(
        help: "What becomes of a sum that does not fit int32: 'error' ends the call, 'wrap' keeps 32 bits.")
    var overflow = SumNumbers.Overflow.error

    @Option(duration: "How long calls in flight may take when the server stops.")
    var drainTimeout = Duration.seconds(25)

    @OptionGroup var limits: LimitOptions

    @Flag(inversion: .prefixedNo, help: "Host the standard health service, grpc.health.v1.Health.")
    var health = true

    @Flag(inversion: .prefixedNo, help: "Host the standard reflection service, v1 and v1alpha.")
    var reflection = true

    @Option(
        help:
            "The least severe messages to log; 'debug' has a line for every call that ends, 'trace' for its beginning too."
    )
    var logLevel = Logger.Level.info

    func run() async throws {
        // Trapped before listening, so that a signal never finds the server without a handler.
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        var logger = Logger(label: "sum-server") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = logLevel
        let healthService = Health(services: [SumNumbers.service])
        var methods = [
            SumNumbers.method(
                overflow: overflow,
                maximumMessageLength: limits.maxMessageSize.map(Int.init)
                    ?? SumNumbers.defaultMaximumMessageLength)
        ]
        if health { methods += healthService.methods }
        if reflection { methods += Reflection(of: methods).methods }
        var configuration = limits.configuration
        configuration.whenConnectionsHalve = Heap.giveBack
        let server = try await GRPCServer.start(
            listeningOn: try addresses.all(), methods: methods, configuration: configuration, logger: logger)
        for address in server.addresses {
            // A closed standard output is no reason not to serve.
            _ = try? FileDescriptor.standardOutput.writeAll("listening on \(address)\n".utf8)
        }
        try await stop(server, healthService, on: signals, logger: logger)
    }

    private func stop(
        _ server: GRPCServer, _ healthService: Health, on signals: UnixSignalsSequence, logger: Logger
    ) async throws {
        var shutdown: Task<Void, Never>?
        for await signal in signals {
            guard shutdown == nil else {
                logger.warning("second signal: ending at once")
                Self.exit(withError: ExitCode.failure)
            }
            logger.info(
                "stopping",
                metadata: ["signal": "\(signal)", "drain-timeout": "\(drainTimeout)"])
            healthService.shutDown()
            shutdown = Task {
                guard await server.shutdown(within: drainTimeout) else {
                    logger.warning("calls were cut: they had not finished within the drain timeout")
                    Self.exit(withError: ExitCode.failure)
                }
                Self.exit()
            }
        }
    }

    static func main() async {
        Heap.setLimits()
        StandardDescriptors.reserve()
        ProcessSignals.ignoreBrokenPipes()
        DescriptorLimit.raise()
        StandardOutputs.dropWhatNobodyReads()
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch  where exitCode(for: error).isSuccess {
            answer(fullMessage(for: error))
        } catch {
            let hint = error is ListenError ? "" : " (see 'sum-server --help')"
            fail("\(message(for: error).prefix { !$0.isNewline })\(hint)", exitCode(for: error))
        }
    }

    /// Writes what --help and --version ask for. ArgumentParser's own `exit` would not notice that it cannot be written.
    private static func answer(_ text: String) -> Never {
        do {
            try FileDescriptor.standardOutput.writeAllWaiting("\(text)\n")
        } catch {
            fail("standard output: \(error)", .failure)
        }
        exit()
    }

    private static func fail(_ reason: String, _ code: ExitCode) -> Never {
        try? FileDescriptor.standardError.writeAllWaiting("sum-server: \(PeerText.line(reason))\n")
        exit(withError: ExitCode(code.rawValue))
    }
}
