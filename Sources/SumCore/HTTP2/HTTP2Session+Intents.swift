internal import CNghttp2

/// Intents: each submits frames to nghttp2, which `send` then writes to the output.
extension HTTP2Session {
    /// Opens a stream with a request (client).
    ///
    /// - Returns: the id of the stream.
    func submitRequest(_ fields: [HTTP2Field], body: any HTTP2Body) throws(NGHTTP2Error) -> Int32 {
        var provider = unsafe Self.bodyProvider
        let streamID = unsafe memory.fields.lend(fields) {
            unsafe nghttp2_submit_request(session, nil, $0, $1, &provider, nil)
        }
        try NGHTTP2Error.check(streamID)
        bodies[streamID] = body
        return streamID
    }

    /// Submits a response (server). Without a body it is the headers alone, with END_STREAM. Does nothing for a stream
    /// that is closed: its body would be kept for ever.
    func submitResponse(_ fields: [HTTP2Field], body: (any HTTP2Body)?, on streamID: Int32)
        throws(NGHTTP2Error)
    {
        guard unsafe nghttp2_session_find_stream(session, streamID) != nil else { return }
        let result: Int32
        if let body {
            var provider = unsafe Self.bodyProvider
            bodies[streamID] = body
            result = unsafe memory.fields.lend(fields) {
                unsafe nghttp2_submit_response(session, streamID, $0, $1, &provider)
            }
        } else {
            result = unsafe memory.fields.lend(fields) {
                unsafe nghttp2_submit_response(session, streamID, $0, $1, nil)
            }
        }
        try NGHTTP2Error.check(result)
    }

    /// Submits a response of headers and trailers without a body (server), which needs no window.
    func submitResponse(_ fields: [HTTP2Field], trailers: [HTTP2Field], on streamID: Int32)
        throws(NGHTTP2Error)
    {
        try NGHTTP2Error.check(
            unsafe memory.fields.lend(fields) {
                unsafe nghttp2_submit_headers(
                    session, UInt8(NGHTTP2_FLAG_NONE.rawValue), streamID, nil, $0, $1, nil)
            })
        guard submitTrailers(trailers, on: streamID) else { throw .outOfMemory }
    }

    /// Resets a stream: ends it at once, in both directions.
    func submitReset(_ code: HTTP2ErrorCode, on streamID: Int32) throws(NGHTTP2Error) {
        try NGHTTP2Error.check(unsafe nghttp2_submit_rst_stream(session, 0, streamID, code.rawValue))
    }

    /// Pulls the body of a stream again after it had nothing to send. Does nothing for a stream that has ended.
    func resume(_ streamID: Int32) {
        _ = unsafe nghttp2_session_resume_data(session, streamID)
    }

    /// Reopens the connection's window by `count` bytes. This is done on receipt, whatever happens to the bytes, so
    /// that a stream that is consumed slowly does not stall the others.
    func creditConnection(_ count: Int) throws(NGHTTP2Error) {
        try NGHTTP2Error.check(unsafe nghttp2_session_consume_connection(session, count))
    }

    /// Reopens a stream's window by `count` bytes that have been consumed.
    func creditStream(_ streamID: Int32, _ count: Int) throws(NGHTTP2Error) {
        try NGHTTP2Error.check(unsafe nghttp2_session_consume_stream(session, streamID, count))
    }

    func submitPing(payload: UInt64) throws(NGHTTP2Error) {
        let bytes = unsafe withUnsafeBytes(of: payload.bigEndian) { unsafe [UInt8]($0) }
        try NGHTTP2Error.check(unsafe nghttp2_submit_ping(session, 0, bytes))
    }

    /// Submits the first of two GOAWAYs, with last stream id 2^31-1: it asks for no new streams, but refuses none.
    func submitShutdownNotice() throws(NGHTTP2Error) {
        try NGHTTP2Error.check(unsafe nghttp2_submit_shutdown_notice(session))
    }

    /// Submits a GOAWAY with the id of the last stream that was processed: newer ones are refused, open ones continue.
    func submitGoAway(_ code: HTTP2ErrorCode = .noError, debug: String = "") throws(NGHTTP2Error) {
        let last = unsafe nghttp2_session_get_last_proc_stream_id(session)
        let bytes = Array(debug.utf8)
        try NGHTTP2Error.check(
            unsafe nghttp2_submit_goaway(session, 0, last, code.rawValue, bytes, bytes.count))
    }
}
