public import ArgumentParser
public import SumCore
import SumTelemetry

/// The options of sum-client. `Arguments` has removed the numbers from the command line before.
struct ClientOptions: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sum-client",
        abstract: "Streams int32 numbers to a sum-server and prints their sum.",
        usage: """
            sum-client [options] [NUMBER ... | -]
            ... | sum-client [options]
            """,
        discussion: """
            Numbers are read from the command line, from files (-f), and from standard input if there are neither, or \
            for '-'. In text they are separated by white space. Each is checked before it is sent.

            EXAMPLES:
              sum-client 1 -2 3
              seq 1 10 | sum-client --timeout 1s

            The environment can give what is the same for many runs: --target by SUM_TARGET, --timeout by SUM_TIMEOUT, and so \
            on (see the manual). The command line goes first.

            EXIT STATUS: 0 the sum was printed; 1 input or output failed; 2 a number is not an int32; 64 wrong \
            usage; 64 plus the gRPC status code if the call failed (68 deadline exceeded, 75 sum out of range, 76 \
            unimplemented, 77 internal, 78 unavailable); 130 interrupted.
            """,
        version: BuildFacts.summary(of: "sum-client"))

    // Always empty, because `Arguments` has taken the numbers out. Declared for help and completions.
    @Argument(help: "Numbers from -2147483648 to 2147483647, or '-' for standard input.")
    var number: [String] = []

    @Option(
        parsing: .unconditionalSingleValue,
        help: .init(
            """
            Server to call: HOST:PORT, dns:///HOST:PORT, ipv4:ADDRESS:PORT, ipv6:[ADDRESS]:PORT or unix:PATH; can be \
            repeated for several servers, and a name may have several addresses. (default: localhost:50051)
            """),
        transform: { text in try Target(text) })
    var target: [Target] = []

    @Option(
        name: .customLong("lb"),
        help: .init(
            """
            Which of several servers to use: 'pick_first', the first that can be connected to, or 'round_robin', all \
            in turn, so that --retry goes to another.
            """, valueName: "policy"), completion: .list(LoadBalancingPolicy.allValueStrings))
    var loadBalancing = ClientSettings.default.loadBalancing

    @Flag(help: "Try the addresses in random order, so that not all clients use the first.")
    var shuffle = false

    @Flag(
        help: """
            Spread the numbers over all servers: in chunks, each a call of its own, which another server adds if one \
            is lost. Faster only if servers or network are slower than this machine.
            """)
    var spread = false

    @Option(number: "With --spread: numbers in a chunk. (default: 1048576)", in: 1...16_777_216)
    var chunk: Int?

    @Option(
        duration: "Time to connect; a refused connection is retried until then.",
        in: .milliseconds(1) ... .longest)
    var connectTimeout = ClientSettings.default.connectTimeout

    @Option(
        duration: """
            Deadline of the whole run, connecting included, such as 250ms, 1.5s or 1h30m; it is sent to the server \
            too. (default: none)
            """)
    var timeout: Duration?

    @Option(
        parsing: .unconditionalSingleValue,
        help: .init(
            """
            Metadata to send, 'key: value'; can be repeated. Other users of this machine can see it in the process \
            list (ps), so do not put a secret there.
            """, valueName: "metadata"))
    var metadata: [String] = []

    @OptionGroup var credentials: CredentialOptions

    @Option(
        help: "Compression of each number's message: 'identity' (none), 'deflate' or 'gzip'.")
    var compress = ClientSettings.default.compression

    @Option(
        number: """
            How many times to retry after UNAVAILABLE, as long as the response has not begun and what was sent fits \
            into 256 KiB.
            """)
    var retry: UInt8 = 0

    @Flag(help: "Wait for the server until --timeout has passed, instead of --connect-timeout.")
    var waitForReady = false

    @Option(
        duration: """
            Silence after which the server is sent a PING, at least 10s. Servers may end connections with more than \
            one in five minutes. (default: never)
            """, in: .seconds(10) ... .longest)
    var keepaliveTime: Duration?

    @Option(
        duration: "Time for the server to send anything after that PING, before the connection is lost.",
        in: .milliseconds(1) ... .longest)
    var keepaliveTimeout = ClientSettings.default.keepaliveTimeout

    // Checked in `validate`, because ArgumentParser would quote an invalid value, in which there may be a password.
    @Option(
        parsing: .unconditional,
        help: .init(
            """
            HTTP proxy to go through, http://[USER:PASSWORD@]HOST[:PORT], or 'none'. Other users of this machine can \
            see a password in the process list (ps), so put it into grpc_proxy instead. (default: the first of \
            grpc_proxy, https_proxy, HTTPS_PROXY, except for servers in no_grpc_proxy, no_proxy or NO_PROXY, and for \
            localhost)
            """, valueName: "url"),
        transform: { text in
            text == "none"
                ? .success(ProxySetting.none)
                : Result { () throws(InvalidAddress) in .through(try HTTPProxy(text)) }
        })
    var proxy: Result<ProxySetting, InvalidAddress>?

    @OptionGroup var tls: TLSOptions

    @Option(
        parsing: .unconditional,
        help: .init("Program name to put in front of the user agent, such as 'job/1.2'.", valueName: "name"))
    var userAgent: String?

    @Option(
        parsing: .unconditional,
        help: .init(
            """
            Export the call's spans by OTLP over gRPC to http://HOST[:PORT], https://HOST[:PORT] or unix:PATH. They are \
            under the span in the environment's TRACEPARENT. (default: OTEL_EXPORTER_OTLP_ENDPOINT, or no export)
            """, valueName: "endpoint"),
        transform: { text in try OTLPEndpoint(text) })
    var otlp: OTLPEndpoint?

    @Option(
        name: .shortAndLong, parsing: .unconditionalSingleValue,
        help: .init("File to read numbers from; can be repeated.", valueName: "path"), completion: .file())
    var file: [String] = []

    @Flag(help: "Print the server's health instead of a sum; exit with 0 if it is SERVING, with 1 if not.")
    var health = false

    @Option(
        help: .init("With --health: service to check. (default: the whole server)", valueName: "name"))
    var service: String?

    @Flag(
        help: """
            Print a JSON object with the sum, the count of numbers, and the seconds the call took; with --spread, also \
            the calls, and what each server has added.
            """)
    var json = false

    @Flag(name: .shortAndLong, help: "Describe on standard error what is being done.")
    var verbose = false

    func validate() throws {
        _ = try settings.requestMetadata()
        guard userAgent?.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) ?? true else {
            throw ValidationError("the user agent must be printable ASCII")
        }
        if case .failure(let reason)? = proxy {
            throw ValidationError("the value of --proxy is invalid: \(reason.description)")
        }
        guard service == nil || health else {
            throw ValidationError("--service requires --health")
        }
        guard !spread || !health else {
            throw ValidationError("--health checks one server, without --spread")
        }
        guard !spread || loadBalancing == .pickFirst() else {
            throw ValidationError("--spread uses all servers, without --lb")
        }
        guard chunk == nil || spread else { throw ValidationError("--chunk requires --spread") }
        guard !shuffle || loadBalancing == .pickFirst() else {
            throw ValidationError("--shuffle has no effect with --lb round_robin")
        }
    }

    /// What the options say, without the parser.
    var settings: ClientSettings {
        var settings = ClientSettings()
        settings.targets = target
        settings.loadBalancing = shuffle ? .pickFirst(shuffled: true) : loadBalancing
        settings.isSpread = spread
        if let chunk { settings.chunkSize = chunk }
        settings.connectTimeout = connectTimeout
        settings.timeout = timeout
        settings.metadata = metadata
        settings.credentials = credentials.settings
        settings.compression = compress
        settings.maxRetries = Int(retry)
        settings.waitsForReady = waitForReady
        settings.keepaliveTime = keepaliveTime
        settings.keepaliveTimeout = keepaliveTimeout
        if case .success(let proxy)? = proxy { settings.proxy = proxy }
        settings.tls = tls.configuration
        settings.userAgent = userAgent ?? ""
        settings.otlpEndpoint = otlp
        settings.files = file
        settings.checksHealth = health
        settings.service = service ?? ""
        settings.printsJSON = json
        settings.isVerbose = verbose
        return settings
    }
}

extension GRPCCompression: ExpressibleByArgument {}

extension LoadBalancingPolicy: ExpressibleByArgument {
    /// The names of gRPC's service config (grpc/doc/service_config.md).
    public init?(argument: String) {
        switch argument {
        case "pick_first": self = .pickFirst()
        case "round_robin": self = .roundRobin
        default: return nil
        }
    }

    public static var allValueStrings: [String] { ["pick_first", "round_robin"] }
    public var defaultValueDescription: String { "pick_first" }
}
