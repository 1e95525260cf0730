internal import CNghttp2

/// The C side of the session: every function nghttp2 calls, each of which only forwards.
///
/// Sound because the user data is the session's own object, alive for as long as nghttp2 can call, and no
/// pointer nghttp2 lends is kept beyond its callback.
extension HTTP2Session {
    /// Makes an nghttp2 session with our callbacks and options, still without user data.
    static func makeSession(_ role: Role) throws(NGHTTP2Error) -> OpaquePointer {
        var callbacks: OpaquePointer?
        try NGHTTP2Error.check(unsafe nghttp2_session_callbacks_new(&callbacks))
        defer { unsafe nghttp2_session_callbacks_del(callbacks) }
        var options: OpaquePointer?
        try NGHTTP2Error.check(unsafe nghttp2_option_new(&options))
        defer { unsafe nghttp2_option_del(options) }
        unsafe setReceiveCallbacks(callbacks)
        if role == .client { unsafe setAnswerCallback(callbacks) }
        unsafe setSendCallbacks(callbacks)
        unsafe setOptions(options)
        var session: OpaquePointer?
        switch role {
        case .client:
            try NGHTTP2Error.check(unsafe nghttp2_session_client_new2(&session, callbacks, nil, options))
        case .server:
            try NGHTTP2Error.check(unsafe nghttp2_session_server_new2(&session, callbacks, nil, options))
        }
        guard let session = unsafe session else { throw .outOfMemory }
        return unsafe session
    }

    private static func setOptions(_ options: OpaquePointer?) {
        // `MessageRules` are kept instead.
        unsafe nghttp2_option_set_no_http_messaging(options, 1)
        // Credit follows consumption, and closed streams keep no memory.
        unsafe nghttp2_option_set_no_auto_window_update(options, 1)
        unsafe nghttp2_option_set_no_closed_streams(options, 1)
        // A flood of resets is for the connection's budget to judge, which tells the client what it has done.
        unsafe nghttp2_option_set_stream_reset_rate_limit(options, 1 << 32, 1 << 32)
        // Bounds on floods that nghttp2 counts itself.
        unsafe nghttp2_option_set_max_settings(options, 32)
        unsafe nghttp2_option_set_max_outbound_ack(options, 200)
    }

    private static func setReceiveCallbacks(_ callbacks: OpaquePointer?) {
        unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, frame, user in
            if let frame = unsafe frame {
                unsafe HTTP2Session.from(user).beginHeaders(.init(frame.pointee.headers.cat))
            }
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_header_callback(callbacks) {
            _, frame, name, nameLength, value, valueLength, _, user in
            let isAccepted = unsafe HTTP2Session.from(user).addHeader(
                name: UnsafeBufferPointer(start: name, count: nameLength),
                value: UnsafeBufferPointer(start: value, count: valueLength))
            if isAccepted { return 0 }
            if let frame = unsafe frame {
                unsafe HTTP2Session.from(user).giveUpHeaders(on: frame.pointee.hd.stream_id)
            }
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
        }
        unsafe nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks) {
            _, frame, error, user in
            if let frame = unsafe frame {
                unsafe HTTP2Session.from(user).noteInvalidFrame(
                    on: frame.pointee.hd.stream_id, NGHTTP2Error(code: error))
            }
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) {
            _, _, streamID, bytes, count, user in
            let bytes = unsafe UnsafeRawBufferPointer(start: bytes, count: count)
            unsafe HTTP2Session.from(user).reportData(bytes, on: streamID)
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, user in
            if let frame = unsafe frame {
                unsafe HTTP2Session.from(user).received(frame.pointee)
            }
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, streamID, code, user in
            // Always 0: another value leaks memory in unpatched releases (CVE-2023-35945).
            let session = unsafe HTTP2Session.from(user)
            session.forget(streamID)
            session.report(.closed(streamID: streamID, code: HTTP2ErrorCode(rawValue: code)))
            return 0
        }
    }

    /// Tells of answers as soon as they begin: nghttp2 does not report what it refuses of them.
    private static func setAnswerCallback(_ callbacks: OpaquePointer?) {
        unsafe nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks) { _, header, user in
            guard let header = unsafe header?.pointee, header.stream_id != 0 else { return 0 }
            switch nghttp2_frame_type(UInt32(header.type)) {
            case NGHTTP2_HEADERS, NGHTTP2_DATA:
                unsafe HTTP2Session.from(user).beginAnswer(header.stream_id)
            default:
                break
            }
            return 0
        }
    }

    private static func setSendCallbacks(_ callbacks: OpaquePointer?) {
        unsafe nghttp2_session_callbacks_set_data_source_read_length_callback(callbacks) {
            _, _, _, _, _, maximum, user in
            unsafe HTTP2Session.from(user).maxFrameSize(ofPeer: maximum)
        }
        unsafe nghttp2_session_callbacks_set_send_data_callback(callbacks) {
            _, _, header, count, _, user in
            guard let header = unsafe header else { return NGHTTP2_ERR_CALLBACK_FAILURE.rawValue }
            let isFull = unsafe HTTP2Session.from(user).finishFrame(header: header, payloadLength: count)
            return isFull ? NGHTTP2_ERR_PAUSE.rawValue : 0
        }
        unsafe nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { _, frame, user in
            if let frame = unsafe frame {
                unsafe HTTP2Session.from(user).sent(frame.pointee)
            }
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks) { _, frame, error, user in
            if let frame = unsafe frame {
                unsafe HTTP2Session.from(user).notSent(frame.pointee, NGHTTP2Error(code: error))
            }
            return 0
        }
    }

    /// Where nghttp2 asks for the body of a stream.
    static var bodyProvider: nghttp2_data_provider {
        unsafe nghttp2_data_provider(source: nghttp2_data_source()) {
            _, streamID, _, maximum, flags, _, user in
            let session = unsafe HTTP2Session.from(user)
            guard let (count, state) = session.fillFrame(on: streamID, maximum: maximum) else {
                return Int(NGHTTP2_ERR_DEFERRED.rawValue)
            }
            unsafe flags?.pointee = NGHTTP2_DATA_FLAG_NO_COPY.rawValue
            if case .finished(let trailers) = state {
                unsafe flags?.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
                if !trailers.isEmpty {
                    unsafe flags?.pointee |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
                    guard session.submitTrailers(trailers, on: streamID) else {
                        return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
                    }
                }
            }
            return count
        }
    }

    private static func from(_ user: UnsafeMutableRawPointer?) -> HTTP2Session {
        // nghttp2 hands back what `init` set, never nil.
        unsafe Unmanaged<HTTP2Session>.fromOpaque(user.unsafelyUnwrapped).takeUnretainedValue()
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
            counts.answers += 1
            if unsafe Self.opensStream(frame) { report(.requestSent(streamID: header.stream_id)) }
            if header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0 {
                counts.ends += 1
                report(.endStreamSent(streamID: header.stream_id))
            }
        case NGHTTP2_RST_STREAM:
            switch HTTP2ErrorCode(rawValue: unsafe frame.rst_stream.error_code) {
            // What we send without a fault of the peer's.
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
