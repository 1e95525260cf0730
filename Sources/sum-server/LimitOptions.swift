import ArgumentParser
import SumCore

/// The options for the limits on clients.
struct LimitOptions: ParsableArguments {
    private typealias Ranges = GRPCServer.Configuration.Ranges
    private static let defaults = ServerSettings.defaultLimits

    @Option(
        number: "Largest message accepted for a number. (default: \(SumNumbers.defaultMaxMessageSize))",
        name: "bytes", in: Ranges.maxMessageSize)
    var maxMessageSize: Int?

    @Option(
        number: """
            Bytes that a client's compressed messages may decompress to in excess of 16 times their own size (burst; \
            refills by a tenth per second).
            """, name: "bytes", in: Ranges.maxDecompressionExcess)
    var maxDecompressionExcess = defaults.maxDecompressionExcess

    @Option(
        number: "Largest header list accepted in a request.", name: "bytes",
        in: Ranges.maxHeaderListSize)
    var maxHeaderListSize = defaults.maxHeaderListSize

    @Option(
        number: "Most open calls per connection.", in: Ranges.maxConcurrentStreams)
    var maxConcurrentStreams = defaults.maxConcurrentStreams

    @Option(
        number:
            "Most open connections; further ones are closed at once. (default: 80 % of the file descriptors allowed)",
        in: Ranges.maxConnections)
    var maxConnections: Int?

    @Option(
        number: """
            Frames without data, such as PING, that a client may send in excess of those its calls justify (burst; \
            refills by a tenth per second).
            """,
        in: Ranges.maxOverheadFrames)
    var maxOverheadFrames = defaults.maxOverheadFrames

    @Option(
        number: """
            Cancelled calls allowed in excess of completed ones (burst; refills by a tenth per second). Calls reset \
            for a protocol error count double.
            """,
        in: Ranges.maxResets)
    var maxResets = defaults.maxResets

    @Option(
        duration: "Time for a client to begin HTTP/2, to acknowledge SETTINGS, and to end a header block.",
        in: Ranges.handshakeTimeout)
    var handshakeTimeout = defaults.handshakeTimeout

    @Option(
        duration: """
            Time that a connection, or a call, may make no progress while there is something to send; detected up to a \
            third of this late.
            """,
        in: Ranges.writeTimeout)
    var writeTimeout = defaults.writeTimeout

    @Option(duration: "Silence after which a client is sent a PING.", in: Ranges.keepaliveTime)
    var keepaliveTime = defaults.keepaliveTime

    @Option(duration: "Time for the client to send anything after that PING.", in: Ranges.keepaliveTimeout)
    var keepaliveTimeout = defaults.keepaliveTimeout

    @Option(
        duration: """
            Shortest interval between PINGs of a client that has calls; three in a row that come sooner end its \
            connection.
            """,
        in: Ranges.minPingInterval)
    var minPingInterval = defaults.minPingInterval

    @Flag(help: "Apply that interval also without calls, where it is otherwise two hours.")
    var permitPingsWithoutCalls = false

    @Option(
        duration: "Time without calls after which a connection is closed gracefully.",
        in: Ranges.maxConnectionIdle)
    var maxConnectionIdle = ServerSettings.defaultMaxConnectionIdle

    @Option(
        duration: "Age at which a connection is closed gracefully, give or take 10 %. (default: unlimited)",
        in: Ranges.maxConnectionAge)
    var maxConnectionAge: Duration?

    @Option(
        duration:
            "Time for the calls on such a connection to finish before they are cut off. (default: unlimited)",
        in: Ranges.maxConnectionAgeGrace)
    var maxConnectionAgeGrace: Duration?

    @Option(
        parsing: .unconditional,
        help: .init(
            """
            Permissions of Unix domain sockets, in octal, such as 0660; whoever may write may connect. (default: set \
            by the umask)
            """, valueName: "mode"), transform: SocketMode.init)
    var socketMode: SocketMode?

    var configuration: GRPCServer.Configuration {
        var limits = Self.defaults
        if let maxMessageSize { limits.maxMessageSize = maxMessageSize }
        limits.maxDecompressionExcess = maxDecompressionExcess
        limits.maxHeaderListSize = maxHeaderListSize
        limits.maxConcurrentStreams = maxConcurrentStreams
        limits.maxConnections = maxConnections
        limits.maxOverheadFrames = maxOverheadFrames
        limits.maxResets = maxResets
        limits.handshakeTimeout = handshakeTimeout
        limits.writeTimeout = writeTimeout
        limits.keepaliveTime = keepaliveTime
        limits.keepaliveTimeout = keepaliveTimeout
        limits.minPingInterval = minPingInterval
        limits.permitsPingsWithoutCalls = permitPingsWithoutCalls
        limits.maxConnectionIdle = maxConnectionIdle
        limits.maxConnectionAge = maxConnectionAge
        limits.maxConnectionAgeGrace = maxConnectionAgeGrace
        limits.unixSocketMode = socketMode?.bits
        return limits
    }
}

/// The permissions of a socket, given in octal.
struct SocketMode {
    var bits: UInt16

    init(_ text: String) throws {
        guard let bits = UInt16(text, radix: 8), GRPCServer.Configuration.Ranges.isSocketMode(bits) else {
            throw ValidationError(
                "it must be an octal number up to 777 that lets somebody write, such as 660")
        }
        self.bits = bits
    }
}
