extension ServerLimits {
    /// What each setting may be. The least ones are those with which calls are possible at all.
    public enum Ranges {
        /// A descriptor is an int, and so is a window or a limit of nghttp2.
        private static let most = Int(Int32.max)
        /// For what would end every connection at once if it were zero.
        private static let shortest = Duration.milliseconds(1)

        public static let maxConnections = 1...most
        public static let maxConcurrentStreams = 1...most
        /// The length of a message is sent in 32 bits.
        public static let maxMessageSize = 1...Int(UInt32.max)
        /// The headers of a short request have about 400 bytes.
        public static let maxHeaderListSize = 512...most
        /// A client's hello has some of these frames.
        public static let maxOverheadFrames = 10...most
        public static let maxResets = 0...most
        public static let maxDecompressionExcess = 0...Int(UInt32.max)
        public static let handshakeTimeout = shortest ... .longest
        public static let writeTimeout = Duration.seconds(1) ... .longest
        public static let keepaliveTime = Duration.seconds(1) ... .longest
        public static let keepaliveTimeout = shortest ... .longest
        public static let minPingInterval = Duration.zero ... .longest
        public static let maxConnectionIdle = shortest ... .longest
        public static let maxConnectionAge = shortest ... .longest
        public static let maxConnectionAgeGrace = Duration.zero ... .longest

        /// Whether it has nothing but permissions, and lets somebody connect.
        public static func isSocketMode(_ mode: UInt16) -> Bool {
            mode <= 0o777 && mode & 0o222 != 0
        }
    }

    /// A setting that is not in its range.
    public struct Invalid: Error, Hashable, CustomStringConvertible {
        /// The name of the property.
        public var setting: String
        public var description: String
    }

    /// Checks every setting. `GRPCServer.start` does so first.
    public func validate() throws(Invalid) {
        try Self.check("maxConnections", maxConnections, in: Ranges.maxConnections)
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
