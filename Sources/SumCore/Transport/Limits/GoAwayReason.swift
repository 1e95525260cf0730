/// What a peer did that ends its connection, and what it is told in GOAWAY.
struct GoAwayReason: Error, Equatable, CustomStringConvertible {
    var code = HTTP2ErrorCode.enhanceYourCalm
    /// The words of the GOAWAY frame.
    var debug: String
    var description: String

    static let pings = Self(
        debug: PingStrikes.reason, description: "the other side sent too many PINGs")
    static let overhead = Self(
        debug: "too_many_frames_without_data",
        description: "the other side sent too many frames that carry no data")
    static let resets = Self(
        debug: "too_many_resets",
        description: "the other side reset too many streams, or sent too much for which they had to be reset")
    static let decompression = Self(
        debug: "too_much_decompressed",
        description: "the other side sent messages that decompress to far more than it sent")
    static let headerBlock = Self(
        debug: "header_block_too_long",
        description: "the other side sent a header block far longer than the limit")
    static let unread = Self(
        debug: "too_many_unread_answers",
        description: "the other side asks for answers and does not read them")
    /// Of a peer that does not read, which cannot be told.
    static let stalled = Self(
        debug: "", description: "the other side did not read anything of what it asked for in time")
    static let slowHeaders = Self(
        debug: "header_block_not_ended",
        description: "the other side began a header block and did not end it in time")
    static let settingsTimeout = Self(
        code: .settingsTimeout, debug: "settings_timeout",
        description: "the other side did not acknowledge our SETTINGS in time")

    /// What came on streams that are over.
    static func found(_ fault: StreamHistory.Fault) -> Self {
        switch fault {
        case .headersAfterEnd: found(.streamClosed, "HEADERS: stream closed")
        case .skippedStream: found(.protocolError, "HEADERS: stream lower than the last")
        case .priorityWithoutStream: found(.protocolError, "PRIORITY: stream_id == 0")
        }
    }

    /// What nghttp2 found.
    static func found(_ code: HTTP2ErrorCode, _ debug: String) -> Self {
        Self(
            code: code, debug: debug,
            description: "the other side broke a rule of HTTP/2: \(code)\(debug.isEmpty ? "" : ", \(debug)")")
    }
}
