/// What SumCore's observers (`ServerMetrics`, `ClientMetrics`) record. Names, units and bounds with the prefix `grpc.`
/// are those of grpc/proposal A66, A94, A96 and A118.
extension MetricDescription {
    /// All of them.
    public static let known = grpcServer + grpcClient + sumServer

    private static let grpcServer = [
        counter("grpc.server.call.started", "{call}", "Calls that have begun."),
        histogram(
            "grpc.server.call.duration", HistogramBounds.latency, "s",
            "Time from a call's request headers to its end."),
        histogram(
            "grpc.server.call.sent_total_compressed_message_size", HistogramBounds.size, "By",
            "Bytes of response messages per call, compressed and without framing."),
        histogram(
            "grpc.server.call.rcvd_total_compressed_message_size", HistogramBounds.size, "By",
            "Bytes of request messages per call, compressed and without framing."),
        counter("grpc.server.tls.handshakes", "{handshake}", "TLS handshakes that have ended, by result."),
    ]

    private static let grpcClient = [
        counter("grpc.client.attempt.started", "{attempt}", "Attempts of calls that have begun."),
        histogram(
            "grpc.client.attempt.duration", HistogramBounds.latency, "s", "Time that attempts of calls took."),
        histogram(
            "grpc.client.attempt.sent_total_compressed_message_size", HistogramBounds.size, "By",
            "Bytes of request messages per attempt, compressed and without framing."),
        histogram(
            "grpc.client.attempt.rcvd_total_compressed_message_size", HistogramBounds.size, "By",
            "Bytes of response messages per attempt, compressed and without framing."),
        histogram(
            "grpc.client.call.duration", HistogramBounds.latency, "s",
            "Time that calls took, with connecting and all attempts."),
        histogram(
            "grpc.client.call.retries", HistogramBounds.retries, "{retry}",
            "Retries of calls that were retried."),
        histogram(
            "grpc.client.call.transparent_retries", HistogramBounds.transparentRetries,
            "{transparent_retry}", "Transparent retries of calls that were retried so."),
        histogram(
            "grpc.client.call.retry_delay", HistogramBounds.latency, "s",
            "Time between attempts of calls that were retried."),
        counter(
            "grpc.subchannel.connection_attempts_succeeded", "{attempt}",
            "Attempts to connect that have succeeded."),
        counter(
            "grpc.subchannel.connection_attempts_failed", "{attempt}",
            "Attempts to connect that have failed."),
        counter("grpc.subchannel.disconnections", "{disconnection}", "Connections that have ended."),
        upDownCounter("grpc.subchannel.open_connections", "{connection}", "Connections that are open."),
        counter("grpc.client.tls.handshakes", "{handshake}", "TLS handshakes that have ended, by result."),
    ]

    private static let sumServer = [
        counter("sum.server.numbers", "{number}", "Numbers received."),
        upDownCounter("sum.server.connections", "{connection}", "Connections of clients that are open."),
        counter(
            "sum.server.connections.opened", "{connection}",
            "Connections of clients that have been opened."),
        counter(
            "sum.server.connections.refused", "{connection}",
            "Connections that were closed before they were served, by reason."),
        counter(
            "sum.server.offences", "{offence}",
            "Connections that were ended because of what the client did, by reason."),
        counter(
            "sum.server.streams.refused", "{stream}",
            "Streams that were reset because of what the client sent, or because it had too many."),
        counter(
            "sum.server.authorization.failures", "{call}",
            "Calls that were refused because of who made them, by reason."),
        gauge(
            "sum.server.certificate.not_after", "s",
            "When the server's certificate expires, in seconds since 1970."),
        counter(
            "sum.server.reloads", "{reload}",
            "Times that files were read again, by result. Files that have not changed do not count."),
        gauge(
            "sum.server.draining", "",
            "1 if the server is shutting down, or will after the drain delay; otherwise 0."),
    ]

    private static func counter(_ name: String, _ unit: String, _ help: String) -> Self {
        Self(name, .counter, unit: unit, help: help)
    }

    private static func upDownCounter(_ name: String, _ unit: String, _ help: String) -> Self {
        Self(name, .upDownCounter, unit: unit, help: help)
    }

    private static func gauge(_ name: String, _ unit: String, _ help: String) -> Self {
        Self(name, .gauge, unit: unit, help: help)
    }

    private static func histogram(_ name: String, _ bounds: [Double], _ unit: String, _ help: String) -> Self
    {
        Self(name, .histogram(bounds: bounds), unit: unit, help: help)
    }
}
