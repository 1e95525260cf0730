/// An option that the environment can give too. sum-server has a link to this file.
///
/// The tables are all that is known of options before ArgumentParser, which takes longer to start than the server does. Tests
/// compare them with ArgumentParser's.
struct OptionVariable {
    enum Kind {
        case value
        /// An option that can be repeated. The variable has its values separated by white space.
        case list
        /// A flag that is off by default.
        case flag
        /// A flag that is on by default, and has a second name, `--no-...`, that turns it off.
        case switchedOn
    }

    /// Without dashes.
    var option: String
    var variable: String
    var kind: Kind
    /// The default value, for people.
    var standard: String
    /// The options that make no sense beside this one: if the command line gives this one, the environment's are not used.
    var replaces: [String]
}

extension OptionVariable {
    private static func server(
        _ option: String, _ standard: String = "", _ kind: Kind = .value, replaces: [String] = []
    ) -> Self {
        Self(
            option: option, variable: "SUM_SERVER_\(variableName(of: option))", kind: kind,
            standard: standard,
            replaces: replaces)
    }

    private static func client(
        _ option: String, _ standard: String = "", _ kind: Kind = .value, replaces: [String] = [],
        variable: String? = nil
    ) -> Self {
        Self(
            option: option, variable: variable ?? "SUM_\(variableName(of: option))", kind: kind,
            standard: standard, replaces: replaces)
    }

    private static func variableName(of option: String) -> String {
        String(option.uppercased().map { $0 == "-" ? "_" : $0 })
    }

    /// Every option of sum-server that says how it serves.
    static let ofServer = [
        server("port", "50051", replaces: ["listen"]),
        server("host", "all interfaces, IPv4 and IPv6", replaces: ["listen"]),
        server("listen", "", .list, replaces: ["port", "host"]),
        server("tls-cert"),
        server("tls-key"),
        server("tls-key-passphrase-file"),
        server("tls-client-ca"),
        server("tls-client", "require"),
        server("tls-min", "1.2"),
        server("overflow", "error"),
        server("drain-delay", "0s"),
        server("drain-timeout", "25s"),
        server("max-message-size", "4096"),
        server("max-decompression-excess", "16777216"),
        server("max-header-list-size", "8192"),
        server("max-concurrent-streams", "128"),
        server("max-connections", "80 % of the file descriptors allowed"),
        server("max-overhead-frames", "1000"),
        server("max-resets", "200"),
        server("handshake-timeout", "10s"),
        server("write-timeout", "30s"),
        server("keepalive-time", "2h"),
        server("keepalive-timeout", "20s"),
        server("min-ping-interval", "5m"),
        server("permit-pings-without-calls", "false", .flag),
        server("max-connection-idle", "5m"),
        server("max-connection-age", "unlimited"),
        server("max-connection-age-grace", "unlimited"),
        server("socket-mode", "set by the umask"),
        server("auth-token-file", "anybody may call"),
        server("allow-peer", "every token's owner", .list),
        server("require-both", "false", .flag),
        server("open-health", "true", .switchedOn),
        server("max-refused-calls", "10"),
        server("max-connections-per-peer", "unlimited"),
        server("max-new-connections-per-peer", "unlimited"),
        server("max-calls-per-caller", "unlimited"),
        server("proxy-protocol", "none"),
        server("health", "true", .switchedOn),
        server("reflection", "true", .switchedOn),
        server("log-level", "info"),
        server("log-format", "text"),
        server("access-log", "false", .flag),
        server("trace-messages", "0"),
        server("metrics-listen", "no pages"),
        server("admin-listen", "none"),
        server("otlp", "OTEL_EXPORTER_OTLP_ENDPOINT, or no export"),
    ]

    /// The options of sum-client that say how it calls. What it adds and prints is said on the command line.
    static let ofClient = [
        client("target", "localhost:50051", .list),
        client("lb", "pick_first", replaces: ["shuffle"]),
        client("shuffle", "false", .flag, replaces: ["lb"]),
        client("connect-timeout", "2s"),
        client("timeout", "none"),
        client("token-file"),
        client("insecure-token", "false", .flag),
        client("metadata-file"),
        client("compress", "identity"),
        client("retry", "0"),
        client("wait-for-ready", "false", .flag),
        client("keepalive-time", "never"),
        client("keepalive-timeout", "20s"),
        client("proxy"),
        client("tls", "false", .flag),
        client("cacert"),
        client("cert"),
        client("key"),
        client("key-passphrase-file"),
        // Not SUM_SERVER_NAME, which would look like an option of sum-server.
        client("server-name", variable: "SUM_TLS_SERVER_NAME"),
        client("user-agent"),
        client("otlp", "OTEL_EXPORTER_OTLP_ENDPOINT, or no export"),
    ]

    /// Whether a variable, which sum-server does not have, means something to sum-client.
    static func isKnownToClient(_ variable: String) -> Bool {
        variable == "SUM_TOKEN" || ofClient.contains { $0.variable == variable }
    }
}
