internal import CNghttp2

/// What the session announces at its beginning (RFC 9113 section 6.5.2).
extension HTTP2Session {
    /// nghttp2 ends the whole connection if a client opens one stream too many. So nghttp2 is given no limit, the
    /// connection enforces it instead, and the SETTINGS frame is patched to announce the real one.
    private static let unlimitedStreams = UInt32(Int32.max)
    /// The offset of the first setting's value in its frame, after its identifier.
    private static let firstSetting = FrameSlicer.headerLength + 2

    func submitSettings() throws(NGHTTP2Error) {
        var entries = [
            (NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, UInt32(configuration.streamWindow)),
            (NGHTTP2_SETTINGS_MAX_FRAME_SIZE, configuration.maxFrameSize),
            (NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, UInt32(clamping: configuration.maxHeaderListSize)),
        ]
        switch role {
        case .client:
            entries.append((NGHTTP2_SETTINGS_ENABLE_PUSH, 0))
        case .server:
            entries.insert((NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, Self.unlimitedStreams), at: 0)
            entries.append((NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1))
        }
        let settings = entries.map { nghttp2_settings_entry(settings_id: Int32($0.0.rawValue), value: $0.1) }
        try NGHTTP2Error.check(unsafe nghttp2_submit_settings(session, 0, settings, settings.count))
        try NGHTTP2Error.check(
            unsafe nghttp2_session_set_local_window_size(session, 0, 0, configuration.connectionWindow))
        if role == .server {
            // Writes one frame, the SETTINGS.
            _ = try send(limit: 1)
            output.replaceNumber(at: Self.firstSetting, with: configuration.maxConcurrentStreams)
        }
    }
}
