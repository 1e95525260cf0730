/// What one side announces to its peer, and the limits it keeps.
struct HTTP2Configuration: Sendable {
    /// Streams the peer may have open at once (SETTINGS_MAX_CONCURRENT_STREAMS).
    var maxConcurrentStreams: UInt32 = 128
    /// Bytes a peer may send on one stream before it needs credit (SETTINGS_INITIAL_WINDOW_SIZE).
    var streamWindow: Int32 = 8 << 20
    /// The same for all streams of the connection together.
    var connectionWindow: Int32 = 16 << 20
    /// Bytes of one frame, without its header, that a peer may send (SETTINGS_MAX_FRAME_SIZE), and that we send to
    /// a peer that takes as many. HTTP/2's default, 16 KiB, takes a server a tenth more time on a long stream.
    var maxFrameSize: UInt32 = 64 << 10
    /// Bytes of one header list, counted as RFC 9113 section 6.5.2 does (SETTINGS_MAX_HEADER_LIST_SIZE).
    var maxHeaderListSize = 8 << 10
    /// Fields of one header list.
    var maxHeaderFields = 100
    /// Bytes of one header block on the wire; of a list that is only a little too long, they are never more.
    var maxHeaderBlockSize: Int {
        let (length, isOver) = maxHeaderListSize.multipliedReportingOverflow(by: 4)
        return isOver ? .max : max(length, 16 << 10)
    }
}
