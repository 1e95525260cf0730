import ArgumentParser
import SumCore
import SumTelemetry

/// What a client is to do. What its user has not said has its default.
struct ClientSettings {
    static let `default` = Self()

    /// As given; empty for the default.
    var targets: [Target] = []
    var loadBalancing = LoadBalancingPolicy.pickFirst()
    /// Whether the numbers are spread over all servers.
    var isSpread = false
    /// Numbers in a chunk, if they are.
    var chunkSize = 1 << 20
    var connectTimeout = Duration.seconds(2)
    /// The deadline of the whole run; nil for none.
    var timeout: Duration?
    /// `key: value`.
    var metadata: [String] = []
    var credentials = CredentialSettings()
    var compression = GRPCCompression.identity
    var maxRetries = 0
    var waitsForReady = false
    /// Nil for no PINGs.
    var keepaliveTime: Duration?
    var keepaliveTimeout = Duration.seconds(20)
    var proxy = ProxySetting.fromEnvironment
    /// Nil for clear text.
    var tls: ClientTLS.Configuration?
    /// The program's name in front of the user agent; empty for none.
    var userAgent = ""
    /// The files to read numbers from; `-` is standard input.
    var files: [String] = []
    /// Whether the server's health is asked for, instead of a sum.
    var checksHealth = false
    /// The service whose health is asked for; empty for the whole server.
    var service = ""
    /// Where spans are exported to, in place of what the environment says; nil for that.
    var otlpEndpoint: OTLPEndpoint?
    var printsJSON = false
    var isVerbose = false

    /// The targets, one at least.
    var servers: [Target] { targets.isEmpty ? [.default] : targets }

    /// - Parameter tls: what `tls` has led to.
    /// - Throws: if there is a token that cannot be read, or must not be sent.
    func clientConfiguration(tls: ClientTLS? = nil) throws -> GRPCClient.Configuration {
        var configuration = GRPCClient.Configuration()
        configuration.tls = tls
        configuration.credentials = try credentials.credentials()
        if tls == nil {
            try credentials.check(servers, configuration.credentials)
        }
        configuration.connectTimeout = connectTimeout
        configuration.loadBalancing = loadBalancing
        if isVerbose { configuration.observers = [Narrator()] }
        configuration.userAgent = userAgent
        configuration.proxy = proxy
        configuration.keepaliveTime = keepaliveTime
        configuration.keepaliveTimeout = keepaliveTimeout
        return configuration
    }

    func callOptions() throws -> GRPCCallOptions {
        var options = GRPCCallOptions(timeout: timeout, metadata: try requestMetadata())
        for line in try credentials.metadataLines() {
            try Self.add(line.text, from: line.place, to: &options.metadata)
        }
        if let span = SpanContext(environment: Environment.value), options.metadata["traceparent"].isEmpty {
            // So that the call belongs to the trace under which the program runs, even if it records no span of its own.
            try options.metadata.add("traceparent", span.trace.traceparent)
            if !span.state.isEmpty { try options.metadata.add("tracestate", span.state) }
        }
        options.compression = compression
        options.maxRetries = maxRetries
        options.waitsForReady = waitsForReady
        return options
    }

    func requestMetadata() throws -> GRPCMetadata {
        var metadata = GRPCMetadata()
        for text in self.metadata { try Self.add(text, to: &metadata) }
        return metadata
    }

    /// - Parameter place: where the text comes from, if it must not be quoted.
    private static func add(
        _ text: String, from place: String? = nil, to metadata: inout GRPCMetadata
    ) throws {
        guard let colon = text.firstIndex(of: ":") else {
            throw ValidationError(
                place.map { "\($0) is not metadata: it must be 'key: value'" }
                    ?? "metadata must be 'key: value', not '\(text)'")
        }
        guard text[..<colon].lowercased() != "authorization" else {
            throw ValidationError(
                "put the token of 'authorization' into a file, and give that to --token-file")
        }
        let value = text[text.index(after: colon)...].drop { $0 == " " }
        do {
            try metadata.add(String(text[..<colon]), String(value))
        } catch {
            throw ValidationError(
                place.map {
                    "\($0) cannot be sent: its key is reserved, or one of the two has characters that are not allowed"
                } ?? error.description)
        }
    }
}
