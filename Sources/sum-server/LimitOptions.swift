import ArgumentParser
import SumCore

/// The options that limit what clients may do.
struct LimitOptions: ParsableArguments {
    @Option(number: "The longest number's message accepted. (default: 4096)", name: "bytes")
    var maxMessageSize: UInt32?

    @Option(
        number: """
            Bytes that a client's compressed messages may decompress to beyond 16 times their own size; a tenth of it \
            a second.
            """, name: "bytes")
    var maxDecompressionExcess: UInt32 = 16 << 20

    @Option(number: "The largest header list of a request accepted. (default: 8192)", name: "bytes")
    var maxHeaderListSize: UInt32?

    @Option(number: "The most calls a client may have open on a connection. (default: 128)")
    var maxConcurrentStreams: UInt16?

    @Option(
        number:
            "The most connections open at once; others are closed at once. (default: 80 % of the descriptors allowed)"
    )
    var maxConnections: UInt32?

    @Option(
        number:
            "Frames without data, such as PING, that a client may send beyond those its calls make up for; a tenth of it a second."
    )
    var maxOverheadFrames: UInt32 = 1000

    @Option(
        number:
            "Calls that a client may give up beyond those it lets end; a tenth of it a second. Those it breaks count twice."
    )
    var maxResets: UInt32 = 200

    @Option(
        duration: "How long a client may take to begin HTTP/2, to acknowledge SETTINGS, and to end headers.")
    var handshakeTimeout = Duration.seconds(10)

    @Option(duration: "How long a client may leave what it is sent unread, a third more at most.")
    var writeTimeout = Duration.seconds(30)

    @Option(duration: "Silence after which a client is sent a PING; at least 1s.")
    var keepaliveTime = Duration.seconds(2 * 3600)

    @Option(duration: "How long a client may take to answer that PING.")
    var keepaliveTimeout = Duration.seconds(20)

    @Option(
        duration:
            "The least time between PINGs of a client that has calls; the third too soon in a row ends its connection."
    )
    var minPingInterval = Duration.seconds(5 * 60)

    @Flag(help: "Allow PINGs at that interval without calls too, and not only every two hours.")
    var permitPingsWithoutCalls = false

    @Option(duration: "How long a connection may be without calls before it is ended.")
    var maxConnectionIdle = Duration.seconds(5 * 60)

    @Option(
        duration: "How old a connection may be, 10 % more or less, before it is ended. (default: for ever)")
    var maxConnectionAge: Duration?

    @Option(
        duration:
            "How long the calls on a connection of that age may take to end before they are cut. (default: for ever)"
    )
    var maxConnectionAgeGrace: Duration?

    func validate() throws {
        guard keepaliveTime >= .seconds(1) else {
            throw ValidationError("--keepalive-time is at least 1s")
        }
        guard maxConnectionIdle != .zero, maxConnectionAge != .zero else {
            throw ValidationError("--max-connection-idle and --max-connection-age are more than 0s")
        }
        guard writeTimeout >= .seconds(1) else { throw ValidationError("--write-timeout is at least 1s") }
        guard maxConnections != 0 else { throw ValidationError("--max-connections is at least 1") }
    }

    var configuration: GRPCServer.Configuration {
        var limits = GRPCServer.Configuration()
        if let maxMessageSize { limits.maximumMessageLength = Int(maxMessageSize) }
        if let maxHeaderListSize { limits.maximumHeaderListSize = Int(maxHeaderListSize) }
        if let maxConcurrentStreams { limits.maximumConcurrentStreams = Int(maxConcurrentStreams) }
        limits.maximumDecompressionExcess = Int(maxDecompressionExcess)
        limits.maximumConnections = maxConnections.map(Int.init)
        limits.maximumOverheadFrames = Int(maxOverheadFrames)
        limits.maximumResets = Int(maxResets)
        limits.handshakeTimeout = handshakeTimeout
        limits.writeTimeout = writeTimeout
        limits.keepaliveTime = keepaliveTime
        limits.keepaliveTimeout = keepaliveTimeout
        limits.minimumPingInterval = minPingInterval
        limits.permitsPingsWithoutCalls = permitPingsWithoutCalls
        limits.maximumConnectionIdle = maxConnectionIdle
        limits.maximumConnectionAge = maxConnectionAge
        limits.maximumConnectionAgeGrace = maxConnectionAgeGrace
        return limits
    }
}
