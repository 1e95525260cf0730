internal import CNghttp2

/// The C side of the session: the callbacks of nghttp2, each of which only forwards to a method.
///
/// Sound because the user data is the session object itself, which is alive whenever nghttp2 can call, and no pointer
/// from nghttp2 is kept after its callback returns, but for the buffers that `FieldBuffers` holds references to.
extension HTTP2Session {
    /// Creates an nghttp2 session with our callbacks and options. It has no user data yet.
    ///
    /// - Parameter blocks: its memory, which must outlive it.
    static func makeSession(_ role: Role, _ blocks: SessionBlocks) throws(NGHTTP2Error) -> OpaquePointer {
        var callbacks: OpaquePointer?
        try NGHTTP2Error.check(unsafe nghttp2_session_callbacks_new(&callbacks))
        defer { unsafe nghttp2_session_callbacks_del(callbacks) }
        var options: OpaquePointer?
        try NGHTTP2Error.check(unsafe nghttp2_option_new(&options))
        defer { unsafe nghttp2_option_del(options) }
        unsafe setReceiveCallbacks(callbacks)
        if role == .client { unsafe setResponseCallback(callbacks) }
        unsafe setSendCallbacks(callbacks)
        unsafe setOptions(options)
        var session: OpaquePointer?
        let make =
            unsafe role == .client ? nghttp2_session_client_new3 : nghttp2_session_server_new3
        try NGHTTP2Error.check(unsafe blocks.lend { unsafe make(&session, callbacks, nil, options, $0) })
        guard let session = unsafe session else { throw .outOfMemory }
        return unsafe session
    }

    private static func setOptions(_ options: OpaquePointer?) {
        // `MessageRules` takes the place of nghttp2's own check.
        unsafe nghttp2_option_set_no_http_messaging(options, 1)
        // Window updates follow consumption, and closed streams keep no memory.
        unsafe nghttp2_option_set_no_auto_window_update(options, 1)
        unsafe nghttp2_option_set_no_closed_streams(options, 1)
        // Turns nghttp2's limit on resets off: `FrameBudget` has its own, and tells the client the reason.
        unsafe nghttp2_option_set_stream_reset_rate_limit(options, 1 << 32, 1 << 32)
        // Flood limits that nghttp2 enforces by itself.
        unsafe nghttp2_option_set_max_settings(options, 32)
        unsafe nghttp2_option_set_max_outbound_ack(options, 200)
    }

    private static func setReceiveCallbacks(_ callbacks: OpaquePointer?) {
        unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, frame, user in
            if let frame = unsafe frame {
                unsafe HTTP2Session.with(user) { unsafe $0.beginHeaders(.init(frame.pointee.headers.cat)) }
            }
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_header_callback2(callbacks) {
            _, frame, name, value, _, user in
            guard let frame = unsafe frame, let name = unsafe name, let value = unsafe value else { return 0 }
            return unsafe HTTP2Session.with(user) { session in
                if unsafe session.headers.addRepeated(name: name, value: value) { return 0 }
                if unsafe session.addHeader(name: name, value: value) { return 0 }
                unsafe session.giveUpHeaders(on: frame.pointee.hd.stream_id)
                return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
            }
        }
        unsafe nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks) {
            _, frame, error, user in
            if let frame = unsafe frame {
                unsafe HTTP2Session.with(user) {
                    unsafe $0.noteInvalidFrame(on: frame.pointee.hd.stream_id, NGHTTP2Error(code: error))
                }
            }
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) {
            _, _, streamID, bytes, count, user in
            let bytes = unsafe UnsafeRawBufferPointer(start: bytes, count: count)
            unsafe HTTP2Session.with(user) { unsafe $0.reportData(bytes, on: streamID) }
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, user in
            if let frame = unsafe frame {
                unsafe HTTP2Session.with(user) { unsafe $0.received(frame.pointee) }
            }
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, streamID, code, user in
            // Always returns 0: any other value leaks memory in unpatched releases (CVE-2023-35945).
            unsafe HTTP2Session.with(user) { session in
                session.forget(streamID)
                session.report(.closed(streamID: streamID, code: HTTP2ErrorCode(rawValue: code)))
            }
            return 0
        }
    }

    /// Reports a response as soon as it begins, because nghttp2 does not report frames that it refuses.
    private static func setResponseCallback(_ callbacks: OpaquePointer?) {
        unsafe nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks) { _, header, user in
            guard let header = unsafe header?.pointee, header.stream_id != 0 else { return 0 }
            switch nghttp2_frame_type(UInt32(header.type)) {
            case NGHTTP2_HEADERS, NGHTTP2_DATA:
                unsafe HTTP2Session.with(user) { $0.beginResponse(header.stream_id) }
            default:
                break
            }
            return 0
        }
    }

    private static func setSendCallbacks(_ callbacks: OpaquePointer?) {
        unsafe nghttp2_session_callbacks_set_data_source_read_length_callback(callbacks) {
            _, _, _, _, _, maximum, user in
            unsafe HTTP2Session.with(user) { $0.maxFrameSize(ofPeer: maximum) }
        }
        unsafe nghttp2_session_callbacks_set_send_data_callback(callbacks) {
            _, _, header, count, _, user in
            guard let header = unsafe header else { return NGHTTP2_ERR_CALLBACK_FAILURE.rawValue }
            let isFull = unsafe HTTP2Session.with(user) {
                unsafe $0.finishFrame(header: header, payloadLength: count)
            }
            return isFull ? NGHTTP2_ERR_PAUSE.rawValue : 0
        }
        unsafe nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { _, frame, user in
            if let frame = unsafe frame {
                unsafe HTTP2Session.with(user) { unsafe $0.sent(frame.pointee) }
            }
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks) { _, frame, error, user in
            if let frame = unsafe frame {
                unsafe HTTP2Session.with(user) { unsafe $0.notSent(frame.pointee, NGHTTP2Error(code: error)) }
            }
            return 0
        }
    }

    /// The data source through which nghttp2 pulls the body of a stream.
    static var bodyProvider: nghttp2_data_provider {
        unsafe nghttp2_data_provider(source: nghttp2_data_source()) {
            _, streamID, _, maximum, flags, _, user in
            unsafe HTTP2Session.with(user) {
                unsafe $0.nextFrame(on: streamID, maximum: maximum, flags: flags)
            }
        }
    }

    /// Lets the body of a stream fill its next frame.
    ///
    /// - Returns: the payload length, or one of nghttp2's errors.
    private func nextFrame(
        on streamID: Int32, maximum: Int, flags: UnsafeMutablePointer<UInt32>?
    ) -> Int {
        guard let (count, state) = fillFrame(on: streamID, maximum: maximum) else {
            return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        }
        unsafe flags?.pointee = NGHTTP2_DATA_FLAG_NO_COPY.rawValue
        if case .finished(let trailers) = state {
            unsafe flags?.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
            if !trailers.isEmpty {
                unsafe flags?.pointee |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
                guard submitTrailers(trailers, on: streamID) else {
                    return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
                }
            }
        }
        return count
    }

    /// Calls `body` with the session that nghttp2's user data points to.
    ///
    /// Sound because nghttp2 passes the pointer that `init` has set, and calls back only while `receive`, `send` or an
    /// intent runs, during which somebody holds the session. So it is not retained again, which would cost more than
    /// most of the callbacks.
    private static func with<Result>(
        _ user: UnsafeMutableRawPointer?, _ body: (HTTP2Session) -> Result
    ) -> Result {
        unsafe Unmanaged<HTTP2Session>.fromOpaque(user.unsafelyUnwrapped)._withUnsafeGuaranteedRef(body)
    }

    private func received(_ frame: nghttp2_frame) {
        let header = unsafe frame.hd
        let endStream = header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
        let isAcknowledgement = header.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0
        switch nghttp2_frame_type(UInt32(header.type)) {
        case NGHTTP2_HEADERS:
            receivedHeaders(
                HTTP2Event.HeadersKind(unsafe frame.headers.cat), on: header.stream_id, endStream: endStream)
        case NGHTTP2_DATA where endStream:
            receivedEnd(of: header.stream_id)
        case NGHTTP2_SETTINGS:
            report(isAcknowledgement ? .settingsAcknowledged : .settings)
        case NGHTTP2_PING where isAcknowledgement:
            let payload = unsafe withUnsafeBytes(of: frame.ping.opaque_data) {
                unsafe $0.load(as: UInt64.self)
            }
            report(.pingAcknowledged(payload: UInt64(bigEndian: payload)))
        case NGHTTP2_PING:
            report(.ping)
        case NGHTTP2_GOAWAY:
            let goAway = unsafe frame.goaway
            report(
                .goAway(
                    lastStreamID: unsafe goAway.last_stream_id,
                    code: HTTP2ErrorCode(rawValue: unsafe goAway.error_code),
                    debug: unsafe Self.debugText(of: goAway)))
        default:
            break
        }
    }

    private static func debugText(of frame: nghttp2_goaway) -> String {
        unsafe String(
            decoding: UnsafeBufferPointer(start: frame.opaque_data, count: frame.opaque_data_len),
            as: UTF8.self)
    }

    private func notSent(_ frame: nghttp2_frame, _ error: NGHTTP2Error) {
        let streamID = unsafe frame.hd.stream_id
        let unsent: HTTP2Event.UnsentFrame = unsafe Self.opensStream(frame) ? .request : .other
        report(.notSent(unsent, streamID: streamID, error: error))
    }

    private static func opensStream(_ frame: nghttp2_frame) -> Bool {
        unsafe frame.hd.type == UInt8(NGHTTP2_HEADERS.rawValue)
            && frame.headers.cat == NGHTTP2_HCAT_REQUEST
    }

    private func sent(_ frame: nghttp2_frame) {
        let header = unsafe frame.hd
        switch nghttp2_frame_type(UInt32(header.type)) {
        case NGHTTP2_DATA, NGHTTP2_HEADERS:
            hasSentHeadersOrData = true
            counts.responses += 1
            if unsafe Self.opensStream(frame) { report(.requestSent(streamID: header.stream_id)) }
            if header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0 {
                counts.ends += 1
                report(.endStreamSent(streamID: header.stream_id))
            }
        case NGHTTP2_RST_STREAM:
            switch HTTP2ErrorCode(rawValue: unsafe frame.rst_stream.error_code) {
            // Codes that do not mean a fault of the peer.
            case .noError, .cancel, .refusedStream: break
            default:
                counts.faults += 1
                sentReset(HTTP2ErrorCode(rawValue: unsafe frame.rst_stream.error_code), on: header.stream_id)
            }
        case NGHTTP2_GOAWAY:
            let goAway = unsafe frame.goaway
            let code = HTTP2ErrorCode(rawValue: unsafe goAway.error_code)
            guard code != .noError else { return }
            report(.goAwaySent(code: code, debug: unsafe Self.debugText(of: goAway)))
        default:
            break
        }
    }
}

extension HTTP2Event.HeadersKind {
    fileprivate init(_ category: nghttp2_headers_category) {
        self =
            switch category {
            case NGHTTP2_HCAT_REQUEST: .request
            case NGHTTP2_HCAT_RESPONSE: .response
            default: .following
            }
    }
}
