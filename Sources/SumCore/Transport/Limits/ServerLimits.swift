/// The limits of a server. `Ranges` has the valid values of each.
///
/// The time limits are those of gRPC's server keepalive (grpc/proposal A8 and A9), with its defaults except for
/// `maxConnectionIdle`.
public struct ServerLimits: Sendable {
    /// Open connections, over all addresses. Further ones are closed as soon as they are accepted. nil: four fifths of
    /// the process's limit on file descriptors (RLIMIT_NOFILE).
    public var maxConnections: Int?
    /// Open connections of one peer, which is an IPv4 address or an IPv6 /64; nil: unlimited, since a proxy in front of
    /// many clients is one peer too. Unix domain sockets have no such limit.
    public var maxConnectionsPerPeer: Int?
    /// New connections of one peer (burst; refills by a tenth per second); nil: unlimited.
    public var maxNewConnectionsPerPeer: Int?
    /// Open calls of one caller over all its connections; nil: unlimited. A caller is its principal (`authorize`), or
    /// else the peer. Further calls end with RESOURCE_EXHAUSTED.
    public var maxCallsPerCaller: Int?
    /// Where proxies may connect from that begin each connection with a PROXY protocol header, in which they say who
    /// their client is; nil: nowhere. From there, a connection without a header is refused.
    public var proxyProtocol: TrustedNetworks?

    /// Who may make a call; nil: everybody. Methods that are open (`GRPCMethod.isOpen`) do not ask.
    public var authorize: CallAuthorizer?
    /// Calls in a row that `authorize` may refuse before the connection ends. Behind a proxy that gives one connection
    /// to several clients, one of them could end it for all: set it high there.
    public var maxRefusedCalls = 10

    /// The permissions of Unix domain sockets, such as 0o660. Whoever may write may connect. nil: 0o777 less the
    /// process's umask.
    public var unixSocketMode: UInt16?
    /// Open calls per connection (SETTINGS_MAX_CONCURRENT_STREAMS). Further ones get REFUSED_STREAM.
    public var maxConcurrentStreams = 128
    /// Bytes of the largest message accepted, compressed and decompressed. `GRPCMethod.maxMessageSize` overrides it.
    public var maxMessageSize = 4 << 20
    /// Bytes of the largest header list of a request, counted as in RFC 9113 section 6.5.2. It may also have at most
    /// 100 fields.
    public var maxHeaderListSize = 8 << 10

    /// Frames without data, such as PING, SETTINGS, PRIORITY, WINDOW_UPDATE and empty DATA, that a client may send in
    /// excess of those that its calls and their responses justify (burst; refills by a tenth per second).
    public var maxOverheadFrames = 1000
    /// Cancelled calls in excess of completed ones (burst; refills by a tenth per second). At least
    /// `maxConcurrentStreams` are allowed. Calls reset for a protocol error count double.
    public var maxResets = 200

    /// Bytes that a client's compressed messages may decompress to in excess of 16 times their own size (burst; refills
    /// by a tenth per second). A client that exceeds it loses its connection.
    public var maxDecompressionExcess = 16 << 20

    /// Time for a client to send its preface and SETTINGS, then to acknowledge ours, and at any time to complete a
    /// header block.
    public var handshakeTimeout = Duration.seconds(10)
    /// Time that a connection may make no progress while there is something to send. A client that does not read loses
    /// its connection; one that opens no window for the rest of a response, or for more than 64 KiB of it, loses the
    /// call. Detected up to a third of this time late.
    public var writeTimeout = Duration.seconds(30)

    /// Silence after which a client is sent a PING.
    public var keepaliveTime = Duration.seconds(2 * 3600)
    /// Time for the client to send anything after that PING, before its connection is closed.
    public var keepaliveTimeout = Duration.seconds(20)
    /// Shortest interval between the PINGs of a client. Three in a row that come sooner end the connection.
    public var minPingInterval = Duration.seconds(5 * 60)
    /// Whether `minPingInterval` also applies while there are no calls. Otherwise the interval is then two hours.
    public var permitsPingsWithoutCalls = false

    /// Time without calls after which a connection is closed gracefully; nil: unlimited, which is gRPC's default, but
    /// lets clients decide how many connections a server keeps. A client reconnects when it has a call.
    public var maxConnectionIdle: Duration? = .seconds(5 * 60)
    /// Age at which a connection is closed gracefully, give or take a tenth; nil: unlimited.
    public var maxConnectionAge: Duration?
    /// Time for the calls on such a connection to finish before they are cut off; nil: unlimited.
    public var maxConnectionAgeGrace: Duration?

    /// Creates a configuration with the defaults.
    public init() {}
}
