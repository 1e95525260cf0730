/// Why a connection ends before both sides are done with it.
struct CloseReason: Error, Equatable, CustomStringConvertible {
    /// Who or what caused the end.
    enum Fault {
        /// The peer exceeded a limit of ours.
        case limit
        /// The peer broke a rule of HTTP/2.
        case violation
        /// The peer does not speak HTTP/2 in clear text.
        case invalidPreface
        /// The two cannot speak TLS with each other, or one speaks TLS and the other does not.
        case tls
        /// The handshake of TLS was cut off.
        case tlsInterrupted
        /// The network, the peer's process, or time: everyday events.
        case circumstances
        /// We ended the connection ourselves.
        case ourselves
    }

    var fault: Fault
    /// The error code of the GOAWAY frame.
    var code = HTTP2ErrorCode.enhanceYourCalm
    /// The debug data of the GOAWAY frame, in grpc-go's format, such as `too_many_pings`.
    var debug = ""
    var description: String
    /// Whether an answer is on its way, which the peer needs time to read.
    var isAnswered = false

    /// Whether the operator should know: the peer exceeded a limit, broke a rule of HTTP/2, or cannot speak TLS with us.
    var isPeersFault: Bool { fault == .limit || fault == .violation || fault == .tls }

    /// The name of the limit that the peer exceeded; nil if it exceeded none.
    var exceededLimit: String? { fault == .limit ? debug : nil }

    /// What the peer did wrong, as one of a few words of ours; nil for everyday events.
    var offence: String? {
        switch fault {
        case .limit: debug
        case .violation: "protocol_error"
        case .invalidPreface: "not_http2"
        case .tls: "tls"
        case .tlsInterrupted, .circumstances, .ourselves: nil
        }
    }

    // MARK: Limits

    static let pings = limit(PingStrikes.reason, "the other side sent too many PINGs")
    static let overhead = limit(
        "too_many_frames_without_data", "the other side sent too many frames that carry no data")
    static let resets = limit(
        "too_many_resets",
        "the other side reset too many streams, or sent too much for which they had to be reset")
    static let decompression = limit(
        "too_much_decompressed", "the other side sent messages that decompress to far more than it sent")
    static let refusedCalls = limit(
        "too_many_refused_calls", "the other side made too many calls in a row that it may not make")
    static let headerBlock = limit(
        "header_block_too_long", "the other side sent a header block far longer than the limit")
    static let unread = limit(
        "too_many_unread_answers", "the other side asks for responses and does not read them")
    /// For a peer that does not read, and so cannot be told.
    static let stalled = limit("stalled", "the other side did not read anything of what it asked for in time")
    static let slowHeaders = limit(
        "header_block_not_ended", "the other side began a header block and did not end it in time")
    static let settingsTimeout = Self(
        fault: .limit, code: .settingsTimeout, debug: "settings_timeout",
        description: "the other side did not acknowledge our SETTINGS in time")

    private static func limit(_ debug: String, _ description: String) -> Self {
        Self(fault: .limit, debug: debug, description: description)
    }

    // MARK: Violations

    /// Frames on streams that have ended or never began.
    static func violation(_ fault: StreamHistory.Fault) -> Self {
        switch fault {
        case .headersAfterEnd: violation(.streamClosed, "HEADERS: stream closed")
        case .skippedStream: violation(.protocolError, "HEADERS: stream lower than the last")
        case .priorityWithoutStream: violation(.protocolError, "PRIORITY: stream_id == 0")
        }
    }

    /// An error found by nghttp2, in its words.
    static func violation(_ code: HTTP2ErrorCode, _ debug: String) -> Self {
        Self(
            fault: .violation, code: code, debug: debug,
            description: "the other side broke a rule of HTTP/2: \(code)\(debug.isEmpty ? "" : ", \(debug)")")
    }

    /// An error after which nghttp2 cannot continue the connection.
    static func violation(_ error: NGHTTP2Error) -> Self {
        Self(fault: .violation, code: .protocolError, description: error.description)
    }

    // MARK: Everything else

    static func invalidPreface(_ preface: InvalidPreface) -> Self {
        Self(
            fault: preface.mistakesTLS ? .tls : .invalidPreface, code: .protocolError,
            description: preface.description)
    }

    static func tls(_ description: String) -> Self {
        Self(fault: .tls, code: .noError, description: description)
    }

    static func tlsInterrupted(_ description: String) -> Self {
        Self(fault: .tlsInterrupted, code: .noError, description: description)
    }

    static let silence = circumstances("the other side is silent, and has not answered a PING")
    static let prefaceTimeout = circumstances("the client did not begin HTTP/2 in time")
    static let age = circumstances(
        "the connection reached its greatest age, and its calls did not end in time")

    static func circumstances(_ description: String) -> Self {
        Self(fault: .circumstances, code: .noError, description: description)
    }

    static func ourselves(_ description: String) -> Self {
        Self(fault: .ourselves, code: .noError, description: description)
    }
}
