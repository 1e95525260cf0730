internal import NIOCore

/// The limits of time that a server's connection keeps besides keepalive. Each does what is due now, and tells when to
/// ask again; nil: not for its sake.
extension ServerConnection {
    func checkHandshake(_ now: NIODeadline) -> NIODeadline? {
        switch handshake?.verdict(at: now) {
        case .wait(let end):
            return end
        case .isSilent:
            fail(HandshakeTimeout())
        case .ignoresSettings:
            dismiss(for: .settingsTimeout)
        case .isDone, nil:
            break
        }
        return nil
    }

    // MARK: Headers

    private var headersLimit: TimeAmount { TimeAmount(configuration.handshakeTimeout) }

    /// Notes whether a header block is arriving. To be called after input.
    func noteHeaders(at now: NIODeadline) {
        guard session.isInHeaderBlock else { return headersSince = nil }
        guard headersSince == nil else { return }
        headersSince = now
        checkTime(by: now + headersLimit)
    }

    func checkHeaders(_ now: NIODeadline) -> NIODeadline? {
        guard let headersSince else { return nil }
        if now < headersSince + headersLimit { return headersSince + headersLimit }
        dismiss(for: .slowHeaders)
        return nil
    }

    // MARK: Stalls

    /// How often it is looked whether what waits to leave has moved.
    var stallCheckInterval: TimeAmount {
        .nanoseconds(TimeAmount(configuration.writeTimeout).nanoseconds / 3)
    }

    /// Looks after clients that do not take what they have asked for: by not reading, or, stream by stream, by not
    /// giving credit.
    func checkStalls(_ now: NIODeadline) -> NIODeadline? {
        let limit = TimeAmount(configuration.writeTimeout)
        let passed = bytesPassedWhileBlocked
        if stall.hasLasted(limit, moved: passed, at: now) {
            fail(GoAwayReason.stalled)
            return nil
        }
        if mayOweProgress {
            // While the channel is blocked, the streams have no chance.
            let stalled = streams.values.filter { stream in
                let moved = passed == nil && stream.owesClientProgress ? stream.bytesSent : nil
                return stream.stall.hasLasted(limit, moved: moved, at: now)
            }
            for stream in stalled {
                let reason = "the client did not take its answer in time"
                noteReset(reason)
                stream.abandon(GRPCStatus(code: .cancelled, message: reason))
                submit { () throws(NGHTTP2Error) in try session.submitReset(.cancel, on: stream.id) }
            }
        }
        mayOweProgress = streams.values.contains(where: \.owesClientProgress)
        return mayOweProgress || passed != nil ? now + stallCheckInterval : nil
    }

    // MARK: Idleness and age

    func checkLifetime(_ now: NIODeadline) -> NIODeadline? {
        switch lifetime?.verdict(at: now) {
        case .wait(let end):
            return end
        case .drain(let reason, let end):
            startDrain(reason)
            return end
        case .close:
            fail(ConnectionTooOld())
        case nil:
            break
        }
        return nil
    }
}

/// The client connected, and did not begin HTTP/2 in time.
private struct HandshakeTimeout: Error, CustomStringConvertible {
    let description = "the client did not begin HTTP/2 in time"
}

/// The client's calls were not over when the grace for a connection of its age was.
private struct ConnectionTooOld: Error, CustomStringConvertible {
    let description = "the connection reached its greatest age, and its calls did not end in time"
}
