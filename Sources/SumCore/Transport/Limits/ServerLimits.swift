/// The limits of a server. The times are those of gRPC's server keepalive (grpc/proposal A8 and A9), and
/// so are their defaults, but for idleness.
public struct ServerLimits: Sendable {
    /// Connections that are open at once, over all addresses; those beyond are closed as soon as they are accepted.
    /// nil: four fifths of the descriptors that the process may have (RLIMIT_NOFILE).
    public var maxConnections: Int?
    /// The permissions of the files of Unix domain sockets, such as 0o660. Who may write may connect. nil: 0o777 less
    /// the process's umask.
    public var unixSocketMode: UInt16?
    /// Calls one client may have open at once on a connection.
    public var maxConcurrentStreams = 128
    /// Bytes of the longest message accepted.
    public var maxMessageSize = 4 << 20
    /// Bytes of a request's header list, counted as RFC 9113 section 6.5.2 does. A list has 100 fields at most.
    public var maxHeaderListSize = 8 << 10

    /// Frames of a client that carry no data, such as PING, SETTINGS, PRIORITY, WINDOW_UPDATE and empty DATA, beyond
    /// those that its calls and their answers make up for: as many at once, and a tenth of it a second.
    public var maxOverheadFrames = 1000
    /// Calls that a client may give up beyond those that it lets end, and at least `maxConcurrentStreams`: as
    /// many at once, and a tenth of it a second. A call that has to be reset for the client's fault counts twice.
    public var maxResets = 200

    /// Bytes that a client's compressed messages may be decompressed to beyond 16 times what it sent for them: as many
    /// at once, and a tenth of it a second. Beyond that its connection ends.
    public var maxDecompressionExcess = 16 << 20

    /// How long a client may take, once connected, to begin HTTP/2 with its SETTINGS; then, to acknowledge ours;
    /// and at any time, to end a header block that it has begun.
    public var handshakeTimeout = Duration.seconds(10)
    /// How long a client may leave what waits for it untouched: its connection, when it does not read, or the answer
    /// of a call that has ended, when it gives no credit. It may take a third longer to be noticed.
    public var writeTimeout = Duration.seconds(30)

    /// Silence of a client after which it is sent a PING.
    public var keepaliveTime = Duration.seconds(2 * 3600)
    /// How long the client may then stay silent before its connection is closed.
    public var keepaliveTimeout = Duration.seconds(20)
    /// The least time between the PINGs of a client; after three too soon its connection is closed.
    public var minPingInterval = Duration.seconds(5 * 60)
    /// Whether that holds without calls too; the least time is then two hours otherwise.
    public var permitsPingsWithoutCalls = false

    /// How long a connection may be without calls before it is ended gracefully; nil: for ever. A client makes a
    /// new connection when it has a call. gRPC's own default, for ever, leaves it to clients how many connections
    /// a server keeps.
    public var maxConnectionIdle: Duration? = .seconds(5 * 60)
    /// How old a connection may grow, up to a tenth more or less, before it is ended gracefully; nil: for ever.
    public var maxConnectionAge: Duration?
    /// How long the calls of a connection of that age may take to end before they are cut; nil: for ever.
    public var maxConnectionAgeGrace: Duration?

    public init() {}
}
