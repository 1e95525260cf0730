internal import NIOCore

/// What the peer did, or what became of what we did, in the order it happened.
///
/// nghttp2 forbids calling back into it from its callbacks, so these are only collected there and are
/// handled once the library has returned.
enum HTTP2Event {
    /// A whole header block.
    case headers(streamID: Int32, fields: [HTTP2Field], kind: HeadersKind, endStream: Bool)
    /// A whole header block that is longer than we take. Of its fields there is the beginning, and short ones.
    case headersTooLong(streamID: Int32, fields: [HTTP2Field], length: String, endStream: Bool)
    /// Part of a DATA frame, without its padding; it must be credited once consumed.
    case data(streamID: Int32, bytes: ByteBuffer)
    /// The peer ended its side. Never reported for a stream that broke a rule of HTTP (RFC 9113 section 8.1.1).
    case endStream(streamID: Int32)
    /// The HEADERS that open a stream of ours were passed on for sending (client).
    case requestSent(streamID: Int32)
    /// The header of a HEADERS or DATA frame has come on a stream of ours, whatever becomes of the frame (client). Not
    /// repeated while the frames that follow are of the same stream.
    case answerBegun(streamID: Int32)
    /// We have ended our side, and the frame that says so was passed on for sending.
    case endStreamSent(streamID: Int32)
    /// We reset the stream, for the reason given: what the peer sent on it broke a rule of HTTP. That it is closed is
    /// told later.
    case refused(streamID: Int32, reason: String)
    /// The stream is gone, in whichever way; the last event of a stream.
    case closed(streamID: Int32, code: HTTP2ErrorCode)
    /// A frame accepted for sending could not be sent after all.
    case notSent(UnsentFrame, streamID: Int32, error: NGHTTP2Error)
    /// The peer's SETTINGS arrived and hold from now on.
    case settings
    /// The peer has seen our SETTINGS, and keeps to them.
    case settingsAcknowledged
    /// A PING of the peer's, which is answered without being asked for.
    case ping
    case pingAcknowledged(payload: UInt64)
    case goAway(lastStreamID: Int32, code: HTTP2ErrorCode, debug: String)
    /// We told the peer to go away for an error, whether nghttp2 found it or its owner.
    case goAwaySent(code: HTTP2ErrorCode, debug: String)

    enum UnsentFrame: Equatable {
        /// The HEADERS that open a stream: the peer does not know of it, and never will.
        case request
        /// Any other frame, such as a RST_STREAM, which says nothing about what the peer has of the stream.
        case other
    }

    enum HeadersKind {
        case request
        /// The first block of a response.
        case response
        /// A further block: a final response after a 1xx one, or trailers.
        case following
    }
}
