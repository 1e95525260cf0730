import Logging
import SumCore
import SumTelemetry

/// What a server is to do. What its operator has not said has its default.
struct ServerSettings {
    /// Where to listen; empty for the sockets of systemd, or all interfaces.
    var listen: [ListenRequest] = []
    /// TLS on all addresses but Unix domain sockets; nil for clear text.
    var tls: ServerTLS.Configuration?
    var overflow = SumNumbers.Overflow.error
    /// The largest message for a number, in bytes.
    var maxMessageSize = SumNumbers.defaultMaxMessageSize
    /// The time for which the server still serves after a signal, while health says NOT_SERVING.
    var drainDelay = Duration.zero
    /// The time for open calls to finish.
    var drainTimeout = Duration.seconds(25)
    var limits = Self.defaultLimits
    var callers = CallerSettings()
    var hostsHealth = true
    var hostsReflection = true
    var logLevel = Logger.Level.info
    var logFormat = LogFormat.text
    /// Whether each call has a line in the log, whatever the level.
    var writesAccessLog = false
    /// How many messages of each direction are events of a call's span.
    var tracedMessages = 0
    /// The address of the pages for operators; nil for no pages.
    var metricsAddress: ListenAddress?
    /// The address of gRPC services for operators; nil for none.
    var adminAddress: ListenAddress?
    /// Where metrics and spans are exported to, in place of what the environment says; nil for that.
    var otlpEndpoint: OTLPEndpoint?

    /// The time after which a daemon closes connections without calls. The library keeps them.
    static let defaultMaxConnectionIdle = Duration.seconds(5 * 60)

    /// The library's limits but for that.
    static let defaultLimits = {
        var limits = GRPCServer.Configuration()
        limits.maxConnectionIdle = defaultMaxConnectionIdle
        return limits
    }()
}

/// Who may call.
struct CallerSettings {
    /// The file of bearer tokens; nil if callers need none.
    var tokenFile: String?
    /// The patterns that a caller's names must match; empty for every token's owner.
    var patterns: [CallerPattern] = []
    /// Whether a token and a certificate are required, instead of either.
    var requiresBoth = false
    /// Whether anybody may call the health service.
    var opensHealth = true

    /// - Parameter tokens: those of `tokenFile`.
    /// - Returns: nil if anybody may call.
    func authorizer(tokens: TokenTable?) -> CallAuthorizer? {
        guard tokens != nil || !patterns.isEmpty else { return nil }
        return CallerPolicy(tokens: tokens, patterns: patterns, requiresBoth: requiresBoth).authorizer
    }
}
