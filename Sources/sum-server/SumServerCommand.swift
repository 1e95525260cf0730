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

            Each option can be given by the environment too: --max-connections by SUM_SERVER_MAX_CONNECTIONS, a flag by \
            true or false, a list by words. The command line goes first.

            EXIT STATUS: 0 stopped by a signal, and every call had finished; 1 it could not start or listen, calls \
            were cut off, or a further signal stopped it; 64 wrong usage.
            """,
        version: BuildFacts.summary(of: "sum-server"))

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

    @OptionGroup(title: "Telemetry") var telemetry: TelemetryOptions

    @Flag(
        help: """
            Ask a server that was started with the same options whether it is SERVING, and exit with 0 if it is. Alone, it \
            asks the server that is the first process of the container.
            """)
    var check = false

    @Flag(help: "Print every option, its value and where that comes from, and exit.")
    var printConfig = false

    func validate() throws {
        let requests = try addresses.all()
        guard tls.tlsCert == nil || requests.isEmpty || requests.contains(where: \.mayBeTCP) else {
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

    /// What the options say, without the parser.
    var settings: ServerSettings {
        get throws {
            var settings = ServerSettings()
            settings.listen = try addresses.all()
            settings.tls = tls.configuration
            settings.overflow = overflow
            settings.drainDelay = drainDelay
            settings.drainTimeout = drainTimeout
            settings.maxMessageSize = limits.maxMessageSize ?? SumNumbers.defaultMaxMessageSize
            settings.limits = limits.configuration
            callers.apply(to: &settings.limits)
            settings.callers = callers.settings
            settings.hostsHealth = health
            settings.hostsReflection = reflection
            settings.logLevel = logLevel
            telemetry.apply(to: &settings)
            return settings
        }
    }
}
