public import ArgumentParser
public import SumCore

/// The options of sum-client; the numbers are taken from the command line before (`Arguments`).
struct ClientOptions: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sum-client",
        abstract: "Streams int32 numbers to a sum-server and prints their sum.",
        usage: """
            sum-client [options] [NUMBER ... | -]
            ... | sum-client [options]
            """,
        discussion: """
            Numbers come from the command line, from files (-f) and from standard input, which is read when there \
            are neither, or for '-'. In text they stand between white space. Each is checked before it is sent.

            EXAMPLES:
              sum-client 1 -2 3
              seq 1 10 | sum-client --timeout 1s

            EXIT STATUS: 0 the sum was printed; 1 input or output failed; 2 a number is bad; 64 wrong usage; 64 \
            plus the gRPC status code if the call failed (68 deadline exceeded, 75 sum out of range, 76 \
            unimplemented, 77 internal, 78 unavailable); 130 interrupted.
            """,
        version: "sum-client \(Version.current)")

    @Option(
        parsing: .unconditional,
        help: .init(
            """
            The server: HOST:PORT, dns:///HOST:PORT, ipv4:ADDRESS:PORT, ipv6:[ADDRESS]:PORT or unix:PATH. \
            (default: localhost:50051)
            """),
        transform: { text in try Target(text) })
    var target: Target?

    @Option(
        duration: "How long to try to connect; a refused connection is tried again until then.",
        in: .milliseconds(1) ... .longest)
    var connectTimeout = Duration.seconds(2)

    @Option(
        duration: """
            How long the whole run may take, connecting included, such as 250ms, 1.5s or 1h30m; the server is told \
            too. (default: no limit)
            """)
    var timeout: Duration?

    @Option(
        parsing: .unconditionalSingleValue,
        help: .init(
            """
            Metadata to send along, 'key: value'; can be repeated. Other users of this machine see it in the list \
            of processes (ps), so put no secret there.
            """, valueName: "metadata"))
    var metadata: [String] = []

    @Option(
        help: "How to compress each number's message: 'identity' for not at all, 'deflate' or 'gzip'.")
    var compress = GRPCCompression.identity

    @Option(
        number: """
            How often to try again after UNAVAILABLE, as long as the server has not begun to answer and what was \
            sent fits into 256 KiB.
            """)
    var retry: UInt8 = 0

    @Flag(help: "Wait for the server as long as --timeout allows, instead of --connect-timeout.")
    var waitForReady = false

    @Option(
        duration: """
            Silence of the server after which it is sent a PING, at least 10s. Servers may refuse more than one in \
            five minutes. (default: never)
            """, in: .seconds(10) ... .longest)
    var keepaliveTime: Duration?

    @Option(
        duration: "How long the server has for answering it before it is lost.",
        in: .milliseconds(1) ... .longest)
    var keepaliveTimeout = Duration.seconds(20)

    @Option(
        parsing: .unconditional,
        help: .init("What to call the program in the user agent, such as 'job/1.2'.", valueName: "name"))
    var userAgent: String?

    @Option(
        name: .shortAndLong, parsing: .unconditionalSingleValue,
        help: .init("A file to read numbers from; can be repeated.", valueName: "path"))
    var file: [String] = []

    @Flag(help: "Print whether the server is serving, instead of a sum; exit 0 only if it is, else 1.")
    var health = false

    @Option(
        help: .init("With --health: the service to ask for. (default: the whole server)", valueName: "name"))
    var service: String?

    @Flag(help: "Print a JSON object with the sum, the count of numbers and the time the call took.")
    var json = false

    @Flag(name: .shortAndLong, help: "Tell on standard error what is being done.")
    var verbose = false

    func validate() throws {
        _ = try requestMetadata()
        guard userAgent?.utf8.allSatisfy({ (0x20...0x7e).contains($0) }) ?? true else {
            throw ValidationError("the user agent is printable ASCII")
        }
        guard service == nil || health else {
            throw ValidationError("--service goes with --health")
        }
    }

    func clientConfiguration() -> GRPCClient.Configuration {
        var configuration = GRPCClient.Configuration()
        configuration.connectTimeout = connectTimeout
        configuration.userAgent = userAgent ?? ""
        configuration.keepaliveTime = keepaliveTime
        configuration.keepaliveTimeout = keepaliveTimeout
        return configuration
    }

    func callOptions() throws -> GRPCCallOptions {
        var options = GRPCCallOptions(timeout: timeout, metadata: try requestMetadata())
        options.compression = compress
        options.maxRetries = Int(retry)
        options.waitsForReady = waitForReady
        return options
    }

    private func requestMetadata() throws -> GRPCMetadata {
        var metadata = GRPCMetadata()
        for text in self.metadata {
            guard let colon = text.firstIndex(of: ":") else {
                throw ValidationError("metadata is 'key: value', not '\(text)'")
            }
            let value = text[text.index(after: colon)...].drop { $0 == " " }
            do {
                try metadata.add(String(text[..<colon]), String(value))
            } catch {
                throw ValidationError(error.description)
            }
        }
        return metadata
    }
}

extension GRPCCompression: ExpressibleByArgument {}
