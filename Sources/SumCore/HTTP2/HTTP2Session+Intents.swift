internal import CNghttp2

/// What its owner wants of the session. Each intent becomes frames, which `send` then gives out.
extension HTTP2Session {
    /// Opens a stream (client).
    func submitRequest(_ fields: [HTTP2Field], body: any HTTP2Body) throws(NGHTTP2Error) -> Int32 {
        var provider = unsafe Self.bodyProvider
        let streamID = unsafe loan.lend(fields) {
            unsafe nghttp2_submit_request(session, nil, $0, $1, &provider, nil)
        }
        try NGHTTP2Error.check(streamID)
        bodies[streamID] = body
        return streamID
    }

    /// Answers a stream (server). Without a body the response is its headers alone, with END_STREAM. Does nothing for a
    /// stream that is gone, whose body nobody would let go of.
    func submitResponse(_ fields: [HTTP2Field], body: (any HTTP2Body)?, on streamID: Int32)
        throws(NGHTTP2Error)
    {
        guard unsafe nghttp2_session_find_stream(session, streamID) != nil else { return }
        let result: Int32
        if let body {
            var provider = unsafe Self.bodyProvider
            bodies[streamID] = body
            result = unsafe loan.lend(fields) {
                unsafe nghttp2_submit_response(session, streamID, $0, $1, &provider)
            }
        } else {
            result = unsafe loan.lend(fields) {
                unsafe nghttp2_submit_response(session, streamID, $0, $1, nil)
            }
        }
        try NGHTTP2Error.check(result)
    }

    /// Answers a stream (server) with headers and trailers alone, which need no credit.
    func submitResponse(_ fields: [HTTP2Field], trailers: [HTTP2Field], on streamID: Int32)
        throws(NGHTTP2Error)
    {
        try NGHTTP2Error.check(
            unsafe loan.lend(fields) {
                unsafe nghttp2_submit_headers(
                    session, UInt8(NGHTTP2_FLAG_NONE.rawValue), streamID, nil, $0, $1, nil)
            })
        guard submitTrailers(trailers, on: streamID) else { throw .outOfMemory }
    }

    /// Ends a stream at once, in both directions.
    func submitReset(_ code: HTTP2ErrorCode, on streamID: Int32) throws(NGHTTP2Error) {
        try NGHTTP2Error.check(unsafe nghttp2_submit_rst_stream(session, 0, streamID, code.rawValue))
    }

    /// Pulls the body of a stream again, which had nothing to give. Does nothing for a stream that has ended.
    func resume(_ streamID: Int32) {
        _ = unsafe nghttp2_session_resume_data(session, streamID)
    }

    /// Gives the peer credit on the connection for bytes received, whatever becomes of them, so that one
    /// stream that is slow to consume does not stall the others.
    func creditConnection(_ count: Int) throws(NGHTTP2Error) {
        try NGHTTP2Error.check(unsafe nghttp2_session_consume_connection(session, count))
    }

    /// Gives the peer credit on a stream for bytes that have been consumed.
    func creditStream(_ streamID: Int32, _ count: Int) throws(NGHTTP2Error) {
        try NGHTTP2Error.check(unsafe nghttp2_session_consume_stream(session, streamID, count))
    }

    func submitPing(payload: UInt64) throws(NGHTTP2Error) {
        let bytes = unsafe withUnsafeBytes(of: payload.bigEndian) { unsafe [UInt8]($0) }
        try NGHTTP2Error.check(unsafe nghttp2_submit_ping(session, 0, bytes))
    }

    /// The first of two GOAWAYs: no new streams, please; those on their way are still served.
    func submitShutdownNotice() throws(NGHTTP2Error) {
        try NGHTTP2Error.check(unsafe nghttp2_submit_shutdown_notice(session))
    }

    /// GOAWAY with the last stream served: newer ones are refused, those open go on to their ends.
    func submitGoAway(_ code: HTTP2ErrorCode = .noError, debug: String = "") throws(NGHTTP2Error) {
        let last = unsafe nghttp2_session_get_last_proc_stream_id(session)
        let bytes = Array(debug.utf8)
        try NGHTTP2Error.check(
            unsafe nghttp2_submit_goaway(session, 0, last, code.rawValue, bytes, bytes.count))
    }
}
