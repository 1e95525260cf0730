internal import NIOCore

/// The graceful end of a connection (RFC 9113 section 6.8), in two steps: first a GOAWAY that refuses nothing; then,
/// when the acknowledgement of a PING shows that the client has seen it, one that names the last stream served.
extension ServerConnection {
    enum Drain {
        case none
        /// The first GOAWAY is sent. The second carries `reason` as debug data, which nghttp2 does not send with the
        /// first. It is sent at `limit` even if the PING was not acknowledged.
        case announced(reason: String, limit: NIODeadline)
        case refusing

        var hasBegun: Bool {
            if case .none = self { false } else { true }
        }
    }

    /// How long the client has to acknowledge the PING.
    private static let drainPingLimit = TimeAmount.seconds(1)
    static let drainPing: UInt64 = 0x7375_6d20_6472_6169

    /// Lets open calls finish, refuses new ones, then ends the connection.
    ///
    /// - Parameter reason: the debug data of the last GOAWAY, such as `max_age`.
    func drain(_ reason: String = "", at now: NIODeadline) {
        core.now = now
        drain(reason)
    }

    func drain(_ reason: String) {
        guard core.isOpen, case .none = drainState else { return }
        // In the handshake of TLS there are no calls, and the client cannot be told anything.
        guard isOpened else { return core.end(.now) }
        let limit = core.now + Self.drainPingLimit
        drainState = .announced(reason: reason, limit: limit)
        core.tick(by: limit)
        attempt { () throws(NGHTTP2Error) in
            try core.session.submitShutdownNotice()
            // nghttp2 sends a PING before other queued frames, so the GOAWAY must be sent first.
            _ = try core.session.send(limit: Self.writeSize)
            try core.session.submitPing(payload: Self.drainPing)
        }
    }

    /// Sends the second GOAWAY. Does so only once.
    func refuseNewStreams() throws(NGHTTP2Error) {
        guard case .announced(let reason, _) = drainState else { return }
        drainState = .refusing
        try core.session.submitGoAway(debug: reason)
    }

    func checkDrain() -> NIODeadline? {
        guard case .announced(_, let limit) = drainState else { return nil }
        guard core.now >= limit else { return limit }
        attempt { () throws(NGHTTP2Error) in try refuseNewStreams() }
        return nil
    }
}
