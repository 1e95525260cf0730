/// How calls end: each by itself, or all with the connection.
extension ClientConnection {
    /// Tells the handler, and resets the stream unless both sides have ended it.
    func end(
        _ stream: ClientStream, _ callEnd: ClientCallEnd, resetWith code: HTTP2ErrorCode = .cancel
    ) throws(NGHTTP2Error) {
        stream.handler.end(callEnd)
        if code != .noError || !stream.call.hasSentEverything {
            try core.session.submitReset(code, on: stream.id)
        }
    }

    /// Ends all calls of a connection that is lost, whether or not it is closed yet.
    func endCalls(_ lost: GRPCStatus, isBroken: Bool) {
        let lostStreams = streams.values
        streams.removeAll()
        for stream in lostStreams {
            if let callEnd = stream.call.lost(lost, isBroken: isBroken) { stream.handler.end(callEnd) }
        }
    }

    /// After a GOAWAY, nghttp2 sends no more requests, but keeps those that are queued until it is their turn.
    func endUnsentCalls() throws(NGHTTP2Error) {
        let lost = GRPCStatus(code: .unavailable, message: "the call could not be sent\(reasonSuffix)")
        for stream in streams.values where stream.call.hasSentNothing {
            if let callEnd = stream.call.lost(lost) { try end(stream, callEnd) }
        }
    }

    /// The status of the open calls when we have sent a GOAWAY for an error.
    func lastStatus(_ code: HTTP2ErrorCode, _ debug: String) -> GRPCStatus {
        let words =
            if let reason = core.closeReason, reason.fault != .violation {
                "the connection was ended: \(reason)"
            } else {
                "the response broke HTTP/2: \(code)\(debug.isEmpty ? "" : ", \(debug)")"
            }
        return GRPCStatus(code: .unavailable, message: words)
    }
}
