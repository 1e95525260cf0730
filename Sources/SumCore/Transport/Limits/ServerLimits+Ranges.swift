extension ServerLimits {
    /// The valid range of each setting. The lower ends are those with which calls are still possible.
    public enum Ranges {
        /// File descriptors, windows and the limits of nghttp2 are C ints.
        private static let most = Int(Int32.max)
        /// For times that would end every connection at once if they were zero.
        private static let shortest = Duration.milliseconds(1)

        /// The range of `ServerLimits.maxConnections`.
        public static let maxConnections = 1...most
        /// The range of `ServerLimits.maxConnectionsPerPeer`.
        public static let maxConnectionsPerPeer = 1...most
        /// The range of `ServerLimits.maxNewConnectionsPerPeer`. Below ten, a tenth would be nothing.
        public static let maxNewConnectionsPerPeer = 10...most
        /// The range of `ServerLimits.maxCallsPerCaller`.
        public static let maxCallsPerCaller = 1...most
        /// The range of `ServerLimits.maxRefusedCalls`.
        public static let maxRefusedCalls = 1...most
        /// The range of `ServerLimits.maxConcurrentStreams`.
        public static let maxConcurrentStreams = 1...most
        /// The range of `ServerLimits.maxMessageSize`, in bytes. The length of a message has 32 bits on the wire.
        public static let maxMessageSize = 1...Int(UInt32.max)
        /// The range of `ServerLimits.maxHeaderListSize`, in bytes. The headers of a short request have about 400.
        public static let maxHeaderListSize = 512...most
        /// The range of `ServerLimits.maxOverheadFrames`. Clients begin a connection with some of these frames.
        public static let maxOverheadFrames = 10...most
        /// The range of `ServerLimits.maxResets`.
        public static let maxResets = 0...most
        /// The range of `ServerLimits.maxDecompressionExcess`, in bytes.
        public static let maxDecompressionExcess = 0...Int(UInt32.max)
        /// The range of `ServerLimits.handshakeTimeout`.
        public static let handshakeTimeout = shortest ... .longest
        /// The range of `ServerLimits.writeTimeout`.
        public static let writeTimeout = Duration.seconds(1) ... .longest
        /// The range of `ServerLimits.keepaliveTime`.
        public static let keepaliveTime = Duration.seconds(1) ... .longest
        /// The range of `ServerLimits.keepaliveTimeout`.
        public static let keepaliveTimeout = shortest ... .longest
        /// The range of `ServerLimits.minPingInterval`.
        public static let minPingInterval = Duration.zero ... .longest
        /// The range of `ServerLimits.maxConnectionIdle`.
        public static let maxConnectionIdle = shortest ... .longest
        /// The range of `ServerLimits.maxConnectionAge`.
        public static let maxConnectionAge = shortest ... .longest
        /// The range of `ServerLimits.maxConnectionAgeGrace`.
        public static let maxConnectionAgeGrace = Duration.zero ... .longest

        /// Whether `ServerLimits.unixSocketMode` may be `mode`: only permission bits, of which one lets somebody write.
        public static func isSocketMode(_ mode: UInt16) -> Bool {
            mode <= 0o777 && mode & 0o222 != 0
        }
    }

    /// The error for a setting outside its range.
    public struct Invalid: Error, Hashable, CustomStringConvertible {
        /// The name of the property.
        public var setting: String
        /// The setting, its range and its value, for people.
        public var description: String
    }

    /// Checks every setting. `GRPCServer.start` calls this first.
    ///
    /// - Throws: `Invalid` for the first setting outside its range.
    public func validate() throws(Invalid) {
        try Self.check("maxConnections", maxConnections, in: Ranges.maxConnections)
        try Self.check(
            "maxConnectionsPerPeer", maxConnectionsPerPeer, in: Ranges.maxConnectionsPerPeer)
        try Self.check(
            "maxNewConnectionsPerPeer", maxNewConnectionsPerPeer, in: Ranges.maxNewConnectionsPerPeer)
        try Self.check("maxCallsPerCaller", maxCallsPerCaller, in: Ranges.maxCallsPerCaller)
        try Self.check("maxRefusedCalls", maxRefusedCalls, in: Ranges.maxRefusedCalls)
        try Self.check(
            "maxConcurrentStreams", maxConcurrentStreams, in: Ranges.maxConcurrentStreams)
        try Self.check("maxMessageSize", maxMessageSize, in: Ranges.maxMessageSize)
        try Self.check("maxHeaderListSize", maxHeaderListSize, in: Ranges.maxHeaderListSize)
        try Self.check("maxOverheadFrames", maxOverheadFrames, in: Ranges.maxOverheadFrames)
        try Self.check("maxResets", maxResets, in: Ranges.maxResets)
        try Self.check(
            "maxDecompressionExcess", maxDecompressionExcess, in: Ranges.maxDecompressionExcess)
        try Self.check("handshakeTimeout", handshakeTimeout, in: Ranges.handshakeTimeout)
        try Self.check("writeTimeout", writeTimeout, in: Ranges.writeTimeout)
        try Self.check("keepaliveTime", keepaliveTime, in: Ranges.keepaliveTime)
        try Self.check("keepaliveTimeout", keepaliveTimeout, in: Ranges.keepaliveTimeout)
        try Self.check("minPingInterval", minPingInterval, in: Ranges.minPingInterval)
        try Self.check("maxConnectionIdle", maxConnectionIdle, in: Ranges.maxConnectionIdle)
        try Self.check("maxConnectionAge", maxConnectionAge, in: Ranges.maxConnectionAge)
        try Self.check(
            "maxConnectionAgeGrace", maxConnectionAgeGrace, in: Ranges.maxConnectionAgeGrace)
        if let unixSocketMode, !Ranges.isSocketMode(unixSocketMode) {
            throw Invalid(
                setting: "unixSocketMode",
                description: "unixSocketMode must be up to 0o777, and let somebody write")
        }
    }

    private static func check<Value>(
        _ setting: String, _ value: Value?, in range: ClosedRange<Value>
    ) throws(Invalid) {
        guard let value, !range.contains(value) else { return }
        throw Invalid(
            setting: setting,
            description:
                "\(setting) must be from \(describe(range.lowerBound)) to \(describe(range.upperBound)), not \(value)"
        )
    }

    private static func describe(_ value: some Comparable) -> String {
        (value as? Duration)?.text ?? "\(value)"
    }
}
