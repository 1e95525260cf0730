internal import SumCore

extension OTLPSettings {
    /// Reads the settings from OpenTelemetry's environment variables
    /// (https://opentelemetry.io/docs/specs/otel/protocol/exporter).
    ///
    /// Nothing is exported unless somebody asks for it: by an endpoint, or by the exporter `otlp`. OpenTelemetry's own
    /// default would make each process dial a collector.
    ///
    /// - Parameters:
    ///   - endpoint: an endpoint for metrics and traces, which replaces those of the environment.
    ///   - variables: what is wrong with them becomes a warning.
    public init(endpoint: OTLPEndpoint? = nil, _ variables: inout OpenTelemetryVariables) {
        self.init()
        guard variables.flag("OTEL_SDK_DISABLED") != true else {
            if endpoint != nil { variables.warn("OTEL_SDK_DISABLED", "is true: nothing is exported") }
            return
        }
        if let interval = variables.duration("OTEL_METRIC_EXPORT_INTERVAL") { metricInterval = interval }
        if let delay = variables.duration("OTEL_BSP_SCHEDULE_DELAY") { spans.delay = delay }
        if let size = variables.number("OTEL_BSP_MAX_QUEUE_SIZE") { spans.queueSize = size }
        if let size = variables.number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE") { spans.batchSize = size }
        if spans.batchSize > spans.queueSize {
            if variables.text("OTEL_BSP_MAX_EXPORT_BATCH_SIZE") != nil {
                variables.warn(
                    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "is larger than the queue, which has \(spans.queueSize)"
                )
            }
            spans.batchSize = spans.queueSize
        }
        metrics = Self.destination(
            "METRICS", endpoint, limit: variables.duration("OTEL_METRIC_EXPORT_TIMEOUT"), &variables)
        traces = Self.destination(
            "TRACES", endpoint, limit: variables.duration("OTEL_BSP_EXPORT_TIMEOUT"), &variables)
    }

    /// - Parameters:
    ///   - signal: `METRICS` or `TRACES`, whose own variables take precedence over the general ones.
    ///   - limit: another limit for the time of an export.
    private static func destination(
        _ signal: String, _ endpoint: OTLPEndpoint?, limit: Duration?,
        _ variables: inout OpenTelemetryVariables
    ) -> Destination? {
        let names = Names(signal: signal, variables)
        let isAsked = asks(for: signal, &variables)
        guard isAsked ?? (endpoint != nil || names.isSet("ENDPOINT")) else { return nil }
        guard let endpoint = endpoint ?? self.endpoint(names, &variables) else { return nil }
        let isInsecure = variables.flag(names["INSECURE"]) ?? false
        var destination = Destination(
            target: endpoint.target,
            tls: endpoint.usesTLS ?? !isInsecure ? tls(names, &variables) : nil)
        _ = variables.choice(names["PROTOCOL"], ["grpc": ()])
        destination.headers = headers(names["HEADERS"], &variables)
        destination.compression =
            variables.choice(names["COMPRESSION"], ["gzip": .gzip, "none": .identity]) ?? .identity
        if let timeout = variables.duration(names["TIMEOUT"]) { destination.timeout = timeout }
        if let limit { destination.timeout = min(destination.timeout, limit) }
        return destination
    }

    /// Whether the variable that chooses exporters names OTLP; nil if it does not say.
    private static func asks(for signal: String, _ variables: inout OpenTelemetryVariables) -> Bool? {
        let name = "OTEL_\(signal)_EXPORTER"
        guard let text = variables.text(name) else { return nil }
        let exporters = text.split { $0 == "," || $0 == " " }
        for exporter in exporters where !["otlp", "prometheus", "none"].contains(exporter) {
            variables.warn(
                name, "names '\(String(exporter).escapedForDisplay)', which is unknown and ignored")
        }
        if exporters.contains("otlp") { return true }
        return exporters.contains("prometheus") || exporters.contains("none") ? false : nil
    }

    private static func endpoint(
        _ names: Names, _ variables: inout OpenTelemetryVariables
    ) -> OTLPEndpoint? {
        let name = names["ENDPOINT"]
        do throws(OTLPEndpoint.Invalid) {
            let endpoint = try OTLPEndpoint(variables.text(name) ?? OTLPEndpoint.default)
            if let path = endpoint.ignoredPath {
                variables.warn(name, "has the path '\(path.escapedForDisplay)', which gRPC has no use for")
            }
            return endpoint
        } catch {
            variables.warn(
                name, "is no endpoint, and \(names.signal.lowercased()) are not exported: \(error)")
            return nil
        }
    }

    private static func tls(_ names: Names, _ variables: inout OpenTelemetryVariables) -> TLS {
        let (certificate, key) = (names["CLIENT_CERTIFICATE"], names["CLIENT_KEY"])
        var tls = TLS(certificate: variables.text(names["CERTIFICATE"]))
        switch (variables.text(certificate), variables.text(key)) {
        case (let certificate?, let key?): tls.identity = Identity(certificate: certificate, key: key)
        case (_?, nil): variables.warn(certificate, "is ignored without \(key)")
        case (nil, _?): variables.warn(key, "is ignored without \(certificate)")
        case (nil, nil): break
        }
        return tls
    }

    /// Warnings name the header alone: the value may be a credential.
    private static func headers(_ name: String, _ variables: inout OpenTelemetryVariables) -> GRPCMetadata {
        var headers = GRPCMetadata()
        for (key, value) in variables.list(name) ?? [] {
            do throws(GRPCMetadata.InvalidField) {
                try headers.add(key, value)
            } catch {
                variables.warn(
                    name,
                    "has the header '\(key.escapedForDisplay)', which cannot be sent: it is reserved, or its value is not "
                        + "printable ASCII")
            }
        }
        return headers
    }

    /// The variables of a signal.
    private struct Names {
        let signal: String
        private let variables: OpenTelemetryVariables

        init(signal: String, _ variables: OpenTelemetryVariables) {
            (self.signal, self.variables) = (signal, variables)
        }

        func isSet(_ suffix: String) -> Bool { variables.text(self[suffix]) != nil }

        /// The signal's own variable if it is set, otherwise the general one.
        subscript(_ suffix: String) -> String {
            let own = "OTEL_EXPORTER_OTLP_\(signal)_\(suffix)"
            return variables.text(own) == nil ? "OTEL_EXPORTER_OTLP_\(suffix)" : own
        }
    }
}
