/// The settings that one side announces to its peer, and the limits it enforces.
struct HTTP2Configuration: Sendable {
    /// Streams the peer may have open at once (SETTINGS_MAX_CONCURRENT_STREAMS). Servers only.
    var maxConcurrentStreams: UInt32 = 128
    /// The receive window of each stream, in bytes (SETTINGS_INITIAL_WINDOW_SIZE).
    var streamWindow: Int32 = 8 << 20
    /// The receive window of the connection, in bytes.
    var connectionWindow: Int32 = 16 << 20
    /// Bytes of the largest frame payload accepted (SETTINGS_MAX_FRAME_SIZE), and sent to a peer that accepts as much.
    /// With HTTP/2's default, 16 KiB, a long stream costs a server a tenth more time.
    var maxFrameSize: UInt32 = 64 << 10
    /// Bytes of the largest header list accepted, counted as in RFC 9113 section 6.5.2 (SETTINGS_MAX_HEADER_LIST_SIZE).
    var maxHeaderListSize = 8 << 10
    /// Fields of the longest header list accepted.
    var maxHeaderFields = 100
    /// Limit on an encoded header block, in bytes. Four times the list limit, so that a list that is slightly too long
    /// fails only its own stream and does not end the connection.
    var maxHeaderBlockSize: Int {
        let (length, isOver) = maxHeaderListSize.multipliedReportingOverflow(by: 4)
        return isOver ? .max : max(length, 16 << 10)
    }
}
