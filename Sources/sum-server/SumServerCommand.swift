import ArgumentParser
import Logging
import SumCore

struct SumServerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sum-server",
        abstract: "Adds the numbers that gRPC clients stream, and answers with their sum.",
        discussion: """
            Serves tutorial.NumberService/SumNumbers. Prints one line an address on standard output once it \
            listens; logs go to standard error.

            SIGTERM, SIGINT or SIGQUIT: new calls are refused and those in flight finish. Another signal, half a second \
            later or more, ends at once. SIGHUP changes nothing: there is nothing to reload.

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

    /// Serves until there is a wish to stop, then ends the process.
    func serve(until stop: AsyncStream<String>, logger: Logger) async throws {
        let healthService = Health(services: [SumNumbers.service])
        var methods = [
            SumNumbers.method(
                overflow: overflow,
                maxMessageSize: limits.maxMessageSize ?? SumNumbers.defaultMaxMessageSize)
        ]
        if health { methods += healthService.methods }
        if reflection { methods += Reflection(of: methods).methods }
        let server = try await GRPCServer.start(
            listeningOn: try addresses.all(), methods: methods, configuration: limits.configuration,
            logger: logger)
        for address in server.addresses { LineWriter.standardOutput.write("listening on \(address)\n") }
        for await signal in stop {
            logger.info("stopping", metadata: ["signal": "\(signal)", "drain-timeout": "\(drainTimeout)"])
            healthService.shutDown()
            guard await server.shutdown(within: drainTimeout) else {
                logger.warning("calls were cut: they had not finished within the drain timeout")
                SumServer.end(1)
            }
            SumServer.end(0)
        }
    }
}
