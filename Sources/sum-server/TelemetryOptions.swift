import ArgumentParser
import SumCore
import SumTelemetry

/// What the server tells about itself.
struct TelemetryOptions: ParsableArguments {
    @Option(help: "Format of the log: 'text' for people, 'json' for programs, one object per line.")
    var logFormat = LogFormat.text

    @Flag(
        help: """
            Log each call when it ends, whatever the log level: who called which method, how it ended, how many numbers \
            and bytes it had, and how long it took.
            """)
    var accessLog = false

    @Option(
        help: """
            How many messages of each direction are events of a traced call. Each costs time, and a call may have millions.
            """)
    var traceMessages = 0

    @Option(
        parsing: .unconditional,
        help: .init(
            """
            Address of the pages for operators, in clear text, such as 127.0.0.1:9464 or unix:PATH: / for people, \
            /metrics for Prometheus, /healthz and /readyz. (default: no pages)
            """, valueName: "address"),
        transform: { text in try ListenAddress(text) })
    var metricsListen: ListenAddress?

    @Option(
        parsing: .unconditional,
        help: .init(
            """
            Address of gRPC services for operators, in clear text, such as unix:PATH: grpc.channelz.v1, which tells of \
            calls and connections. (default: none)
            """, valueName: "address"),
        transform: { text in try ListenAddress(text) })
    var adminListen: ListenAddress?

    @Option(
        parsing: .unconditional,
        help: .init(
            """
            Export metrics and spans by OTLP over gRPC to http://HOST[:PORT], https://HOST[:PORT] or unix:PATH. \
            (default: OTEL_EXPORTER_OTLP_ENDPOINT, or no export)
            """, valueName: "endpoint"),
        transform: { text in try OTLPEndpoint(text) })
    var otlp: OTLPEndpoint?

    func validate() throws {
        guard (0...128).contains(traceMessages) else {
            throw ValidationError("--trace-messages must be from 0 to 128, the most events that a span has")
        }
    }

    func apply(to settings: inout ServerSettings) {
        settings.logFormat = logFormat
        settings.writesAccessLog = accessLog
        settings.tracedMessages = traceMessages
        settings.metricsAddress = metricsListen
        settings.adminAddress = adminListen
        settings.otlpEndpoint = otlp
    }
}
