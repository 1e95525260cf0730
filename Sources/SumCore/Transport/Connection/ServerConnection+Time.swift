internal import NIOCore

/// The limits on time that a server's connection keeps. Each does what is due now, and returns when to ask again; nil: it
/// does not matter.
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

    /// Notes whether a header block is arriving. To be called after input.
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

    /// How often progress is measured while something waits to be sent.
    private var stallCheckInterval: TimeAmount {
        .nanoseconds(TimeAmount(limits.writeTimeout).nanoseconds / 3)
    }

    func outputWaits() {
        if mayOweProgress || core.blockedBytes != nil { core.tick(by: core.now + stallCheckInterval) }
    }

    /// Finds clients that do not take what they have asked for: by not reading, or, stream by stream, by not giving credit.
    private func checkStalls() -> NIODeadline? {
        let limit = TimeAmount(limits.writeTimeout)
        let passed = core.bytesPassedWhileBlocked
        if stall.hasLasted(limit, moved: passed, at: core.now) {
            core.fail(.stalled)
            return nil
        }
        if mayOweProgress {
            // While the socket is blocked, the streams have no chance.
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
