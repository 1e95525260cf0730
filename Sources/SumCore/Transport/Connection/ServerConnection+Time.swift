internal import NIOCore

/// The time limits of a server's connection. Each function does what is due, and returns when to check again; nil if it
/// need not be checked.
extension ServerConnection {
    func checkTime() -> NIODeadline? {
        let moments = [
            checkKeepalive(), checkPreface(), checkHeaders(), checkStalls(), checkLifetime(), checkDrain(),
            checkDeadlines(),
        ]
        return moments.compactMap { $0 }.min()
    }

    private func checkPreface() -> NIODeadline? {
        switch preface?.verdict(at: core.now) {
        case .wait(let end):
            return end
        case .isSilent:
            core.fail(.prefaceTimeout)
        case .ignoresSettings:
            core.terminate(.settingsTimeout)
        case .isDone, nil:
            break
        }
        return nil
    }

    // MARK: Headers

    private var headersLimit: TimeAmount { TimeAmount(limits.handshakeTimeout) }

    /// Notes whether a header block is arriving. Call it after input.
    func noteHeaders() {
        guard core.session.isInHeaderBlock else { return headersSince = nil }
        guard headersSince == nil else { return }
        headersSince = core.now
        core.tick(by: core.now + headersLimit)
    }

    private func checkHeaders() -> NIODeadline? {
        guard let headersSince else { return nil }
        if core.now < headersSince + headersLimit { return headersSince + headersLimit }
        core.terminate(.slowHeaders)
        return nil
    }

    // MARK: Stalls

    /// How often to measure progress while output waits.
    private var stallCheckInterval: TimeAmount {
        .nanoseconds(TimeAmount(limits.writeTimeout).nanoseconds / 3)
    }

    func outputWaits() {
        if mayOweProgress || core.blockedBytes != nil { core.tick(by: core.now + stallCheckInterval) }
    }

    /// Finds clients that do not take what they asked for, because they do not read, or give no credit to a stream.
    private func checkStalls() -> NIODeadline? {
        let limit = TimeAmount(limits.writeTimeout)
        let passed = core.bytesPassedWhileBlocked
        if stall.hasLasted(limit, moved: passed, at: core.now) {
            core.fail(.stalled)
            return nil
        }
        if mayOweProgress {
            // While the socket is blocked, no stream can make progress.
            let stalled = streams.values.filter { stream in
                let moved = passed == nil && stream.owesClientProgress ? stream.bytesSent : nil
                return stream.stall.hasLasted(limit, moved: moved, at: core.now)
            }
            for stream in stalled {
                let reason = "the client did not read its response in time"
                noteReset(reason)
                stream.abandon(GRPCStatus(code: .cancelled, message: reason))
                attempt { () throws(NGHTTP2Error) in try core.session.submitReset(.cancel, on: stream.id) }
            }
        }
        mayOweProgress = streams.values.contains(where: \.owesClientProgress)
        return mayOweProgress || passed != nil ? core.now + stallCheckInterval : nil
    }

    // MARK: Idleness and age

    private func checkLifetime() -> NIODeadline? {
        switch lifetime?.verdict(at: core.now) {
        case .wait(let end):
            return end
        case .drain(let reason, let end):
            drain(reason)
            return end
        case .close:
            core.fail(.age)
        case nil:
            break
        }
        return nil
    }
}
