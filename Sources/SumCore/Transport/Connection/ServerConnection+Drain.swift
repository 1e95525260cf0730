internal import NIOCore

/// The graceful end of a connection (RFC 9113 section 6.8), in two steps: first a GOAWAY that refuses nothing,
/// and, when a PING has shown that the client has seen it, one that names the last stream served.
extension ServerConnection {
    enum Drain {
        case none
        /// The first GOAWAY has left. The second has `reason` as its words; nghttp2 takes none for the first.
        case announced(reason: String, limit: Scheduled<Void>)
        case refusing
    }

    /// How long the client has for answering the PING.
    private static let drainPingLimit = TimeAmount.seconds(1)
    static let drainPing: UInt64 = 0x7375_6d20_6472_6169

    func startDrain(_ reason: String = "") {
        guard let context, case .none = drain else { return }
        let limit = context.eventLoop.assumeIsolated().scheduleTask(in: Self.drainPingLimit) { [weak self] in
            guard let self else { return }
            self.submit { () throws(NGHTTP2Error) in try self.refuseNewStreams() }
        }
        drain = .announced(reason: reason, limit: limit)
        // Apart, since nghttp2 sends a PING before other frames that wait with it.
        submit { () throws(NGHTTP2Error) in try session.submitShutdownNotice() }
        submit { () throws(NGHTTP2Error) in try session.submitPing(payload: Self.drainPing) }
    }

    func refuseNewStreams() throws(NGHTTP2Error) {
        guard case .announced(let reason, let limit) = drain else { return }
        limit.cancel()
        drain = .refusing
        try session.submitGoAway(debug: reason)
    }
}
