extension GRPCServer.Configuration {
    /// What each setting may be. The least ones are those with which calls are possible at all.
    public enum Ranges {
        /// A descriptor is an int, and so is a window or a limit of nghttp2.
        private static let most = Int(Int32.max)
        /// For what would end every connection at once if it were zero.
        private static let shortest = Duration.milliseconds(1)

        public static let maximumConnections = 1...most
        public static let maximumConcurrentStreams = 1...most
        /// The length of a message is sent in 32 bits.
        public static let maximumMessageLength = 1...Int(UInt32.max)
        /// The headers of a short request have about 400 bytes.
        public static let maximumHeaderListSize = 512...most
        /// A client's hello has some of these frames.
        public static let maximumOverheadFrames = 10...most
        public static let maximumResets = 0...most
        public static let maximumDecompressionExcess = 0...Int(UInt32.max)
        public static let handshakeTimeout = shortest ... .longest
        public static let writeTimeout = Duration.seconds(1) ... .longest
        public static let keepaliveTime = Duration.seconds(1) ... .longest
        public static let keepaliveTimeout = shortest ... .longest
        public static let minimumPingInterval = Duration.zero ... .longest
        public static let maximumConnectionIdle = shortest ... .longest
        public static let maximumConnectionAge = shortest ... .longest
        public static let maximumConnectionAgeGrace = Duration.zero ... .longest

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
        try Self.check("maximumConnections", maximumConnections, in: Ranges.maximumConnections)
        try Self.check(
            "maximumConcurrentStreams", maximumConcurrentStreams, in: Ranges.maximumConcurrentStreams)
        try Self.check("maximumMessageLength", maximumMessageLength, in: Ranges.maximumMessageLength)
        try Self.check("maximumHeaderListSize", maximumHeaderListSize, in: Ranges.maximumHeaderListSize)
        try Self.check("maximumOverheadFrames", maximumOverheadFrames, in: Ranges.maximumOverheadFrames)
        try Self.check("maximumResets", maximumResets, in: Ranges.maximumResets)
        try Self.check(
            "maximumDecompressionExcess", maximumDecompressionExcess, in: Ranges.maximumDecompressionExcess)
        try Self.check("handshakeTimeout", handshakeTimeout, in: Ranges.handshakeTimeout)
        try Self.check("writeTimeout", writeTimeout, in: Ranges.writeTimeout)
        try Self.check("keepaliveTime", keepaliveTime, in: Ranges.keepaliveTime)
        try Self.check("keepaliveTimeout", keepaliveTimeout, in: Ranges.keepaliveTimeout)
        try Self.check("minimumPingInterval", minimumPingInterval, in: Ranges.minimumPingInterval)
        try Self.check("maximumConnectionIdle", maximumConnectionIdle, in: Ranges.maximumConnectionIdle)
        try Self.check("maximumConnectionAge", maximumConnectionAge, in: Ranges.maximumConnectionAge)
        try Self.check(
            "maximumConnectionAgeGrace", maximumConnectionAgeGrace, in: Ranges.maximumConnectionAgeGrace)
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
