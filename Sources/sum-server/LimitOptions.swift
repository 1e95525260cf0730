import ArgumentParser
import SumCore

/// The options that limit what clients may do.
struct LimitOptions: ParsableArguments {
    private typealias Ranges = GRPCServer.Configuration.Ranges
    private static let defaults = GRPCServer.Configuration()

    @Option(
        number: "The longest number's message accepted. (default: \(SumNumbers.defaultMaxMessageSize))",
        name: "bytes", in: Ranges.maxMessageSize)
    var maxMessageSize: Int?

    @Option(
        number: """
            Bytes that a client's compressed messages may decompress to beyond 16 times their own size; a tenth of it \
            a second.
            """, name: "bytes", in: Ranges.maxDecompressionExcess)
    var maxDecompressionExcess = defaults.maxDecompressionExcess

    @Option(
        number: "The largest header list of a request accepted.", name: "bytes",
        in: Ranges.maxHeaderListSize)
    var maxHeaderListSize = defaults.maxHeaderListSize

    @Option(
        number: "The most calls a client may have open on a connection.", in: Ranges.maxConcurrentStreams)
    var maxConcurrentStreams = defaults.maxConcurrentStreams

    @Option(
        number:
            "The most connections open at once; others are closed at once. (default: 80 % of the descriptors allowed)",
        in: Ranges.maxConnections)
    var maxConnections: Int?

    @Option(
        number:
            "Frames without data, such as PING, that a client may send beyond those its calls make up for; a tenth of it a second.",
        in: Ranges.maxOverheadFrames)
    var maxOverheadFrames = defaults.maxOverheadFrames

    @Option(
        number:
            "Calls that a client may give up beyond those it lets end; a tenth of it a second. Those it breaks count twice.",
        in: Ranges.maxResets)
    var maxResets = defaults.maxResets

    @Option(
        duration: "How long a client may take to begin HTTP/2, to acknowledge SETTINGS, and to end headers.",
        in: Ranges.handshakeTimeout)
    var handshakeTimeout = defaults.handshakeTimeout

    @Option(
        duration: "How long a client may leave what it is sent unread, a third more at most.",
        in: Ranges.writeTimeout)
    var writeTimeout = defaults.writeTimeout

    @Option(duration: "Silence after which a client is sent a PING.", in: Ranges.keepaliveTime)
    var keepaliveTime = defaults.keepaliveTime

    @Option(duration: "How long a client may take to answer that PING.", in: Ranges.keepaliveTimeout)
    var keepaliveTimeout = defaults.keepaliveTimeout

    @Option(
        duration:
            "The least time between PINGs of a client that has calls; the third too soon in a row ends its connection.",
        in: Ranges.minPingInterval)
    var minPingInterval = defaults.minPingInterval

    @Flag(help: "Allow PINGs at that interval without calls too, and not only every two hours.")
    var permitPingsWithoutCalls = false

    @Option(
        duration: "How long a connection may be without calls before it is ended.",
        in: Ranges.maxConnectionIdle)
    var maxConnectionIdle = Duration.seconds(5 * 60)

    @Option(
        duration: "How old a connection may be, 10 % more or less, before it is ended. (default: for ever)",
        in: Ranges.maxConnectionAge)
    var maxConnectionAge: Duration?

    @Option(
        duration:
            "How long the calls on a connection of that age may take to end before they are cut. (default: for ever)",
        in: Ranges.maxConnectionAgeGrace)
    var maxConnectionAgeGrace: Duration?

    @Option(
        parsing: .unconditional,
        help: .init(
            "The permissions of Unix domain sockets, such as 0660; who may write may connect. (default: by the umask)",
            valueName: "mode"), transform: SocketMode.init)
    var socketMode: SocketMode?

    var configuration: GRPCServer.Configuration {
        var limits = GRPCServer.Configuration()
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

/// The permissions of a socket, in octal.
struct SocketMode {
    var bits: UInt16

    init(_ text: String) throws {
        guard let bits = UInt16(text, radix: 8), GRPCServer.Configuration.Ranges.isSocketMode(bits) else {
            throw ValidationError("it is an octal number up to 777 that lets somebody write, such as 660")
        }
        self.bits = bits
    }
}
