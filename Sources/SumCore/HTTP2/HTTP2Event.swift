internal import NIOCore

/// Something the peer did, or the outcome of something we did.
///
/// nghttp2 must not be called from its callbacks. So the callbacks only collect these events, in order, and the
/// connection handles them after nghttp2 has returned.
enum HTTP2Event {
    /// A complete, valid header block.
    case headers(streamID: Int32, fields: [HTTP2Field], kind: HeadersKind, endStream: Bool)
    /// A complete header block that exceeds the limit. `fields` has its beginning, and short fields of the rest;
    /// `length` says how long it is, and the limit.
    case headersTooLong(streamID: Int32, fields: [HTTP2Field], length: String, endStream: Bool)
    /// Payload of DATA frames, without padding. It must be credited once it is consumed.
    case data(streamID: Int32, bytes: ByteBuffer)
    /// The peer ended its side of the stream. Never reported for a malformed message (RFC 9113 section 8.1.1).
    case endStream(streamID: Int32)
    /// The HEADERS that open a stream have been written to the output (client).
    case requestSent(streamID: Int32)
    /// The header of a HEADERS or DATA frame has arrived on a stream, and the frame has not been reported: it is not
    /// complete, or not valid (client).
    case responseBegun(streamID: Int32)
    /// The frame with our END_STREAM has been written to the output.
    case endStreamSent(streamID: Int32)
    /// We reset the stream, because what the peer sent on it broke a rule of HTTP. `closed` follows later.
    case refused(streamID: Int32, reason: String)
    /// The stream is closed, for whatever reason. The last event of a stream.
    case closed(streamID: Int32, code: HTTP2ErrorCode)
    /// A frame that was submitted could not be sent after all.
    case notSent(UnsentFrame, streamID: Int32, error: NGHTTP2Error)
    /// The peer's SETTINGS arrived, and are in effect.
    case settings
    /// The peer has acknowledged our SETTINGS, and must obey them from now on.
    case settingsAcknowledged
    /// The peer sent a PING. nghttp2 acknowledges it by itself.
    case ping
    case pingAcknowledged(payload: UInt64)
    case goAway(lastStreamID: Int32, code: HTTP2ErrorCode, debug: String)
    /// We sent GOAWAY with an error, submitted by nghttp2 or by the connection.
    case goAwaySent(code: HTTP2ErrorCode, debug: String)

    enum UnsentFrame: Equatable {
        /// The HEADERS that open a stream: the peer will never know of the stream.
        case request
        /// Any other frame, such as RST_STREAM. This says nothing about what the peer has received of the stream.
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
