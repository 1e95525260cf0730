internal import NIOCore

/// One end of an HTTP/2 connection, without I/O. Bytes and moments go in; bytes, the moment of the next look at the
/// clock, and the end of the connection come out (`core`).
///
/// `ConnectionHandler` drives it over a socket; a test drives it with frames and a clock of its own. It must be used by
/// one thread at a time, and what it calls, such as the handlers of its calls, may call it again.
protocol Connection: AnyObject, SendableMetatype {
    var core: ConnectionCore { get }

    /// Bytes of output that are gathered for one write: what may wait in the socket's queue for a peer that does not read.
    static var writeSize: Int { get }
    /// Whether our first bytes need not wait for the peer's.
    static var speaksFirst: Bool { get }

    /// Whether there are calls.
    var hasCalls: Bool { get }
    /// Whether nothing more should be read, since handlers have not got to what has come.
    var hasBacklog: Bool { get }

    /// The socket is connected.
    func opened(_ transport: Transport<Self>)
    /// Something happened on the session.
    func handle(_ event: HTTP2Event) throws(NGHTTP2Error)
    /// Input is about to be received, and so much slow work may be done for it.
    func willRead(_ budget: TurnBudget)
    /// A slice of input is about to be looked at.
    func willReceive(_ bytes: ByteBuffer)
    /// Does slow work that was left behind, as much as `turn` allows.
    func takeTurn(within turn: inout TurnBudget, at now: NIODeadline)
    /// A slice of input has been looked at.
    func judgeInput() throws(NGHTTP2Error)
    /// The peer does not begin HTTP/2.
    func receiveInvalidPreface(_ bytes: ByteBuffer)
    /// Some output could not be written, or waits for the peer's credit.
    func outputWaits()
    /// Does what is due.
    ///
    /// - Returns: when to look again; nil when there is nothing to wait for.
    func checkTime() -> NIODeadline?
    /// Both sides are done with the connection: how to close it.
    var orderlyEnding: Ending { get }
    /// The socket is closed. Called once, last.
    func closed()
}

/// What a connection is told of its socket.
struct Transport<C: Connection>: Sendable {
    var peer: Peer
    /// Runs an action on the connection in its own thread, and then sends what comes of it. May be called from any thread.
    var run: @Sendable (@escaping @Sendable (C) -> Void) -> Void
}

extension Connection {
    /// Bytes, about ten responses, that are written before more input is looked at. So the peer works on them meanwhile,
    /// and the two sides do not wait for each other in turns.
    private static var earlyWriteSize: Int { 512 }

    func willReceive(_ bytes: ByteBuffer) {}

    func open(_ transport: Transport<Self>, at now: NIODeadline) {
        core.now = now
        opened(transport)
        tick(at: now)
    }

    /// Takes the next slice of `bytes`, which the peer sent. To be called until there are none left; if `core.wantsFlush`
    /// is set, what there is to send is to be written in between.
    func receive(sliceOf bytes: inout ByteBuffer, at now: NIODeadline) {
        guard core.isOpen else { return bytes.clear() }
        core.now = now
        core.keepalive?.received(at: now)
        let whole = bytes
        willReceive(whole)
        guard core.isOpen else { return bytes.clear() }
        do {
            try core.session.receive(sliceOf: &bytes)
            core.countRead(whole.readableBytes - bytes.readableBytes)
            try handleEvents()
            try judge()
            try judgeInput()
        } catch NGHTTP2Error.badClientMagic {
            receiveInvalidPreface(whole)
        } catch {
            core.fail(.violation(error))
        }
    }

    /// Looks at what the last slice of input was good for.
    private func judge() throws(NGHTTP2Error) {
        // Frames that the peer makes us send are counted when they are made.
        if core.session.queuedFrames > 0, core.blockedBytes == nil {
            _ = try core.session.send(limit: Self.writeSize)
            try handleEvents()
        }
        if core.session.headerBlockIsTooLong { return core.terminate(.headerBlock) }
        if let fault = core.session.streamFault { return core.terminate(.violation(fault)) }
        let frames = core.session.takeCounts()
        if let excess = core.frameBudget?.excess(frames, queued: core.session.queuedFrames, at: core.now) {
            return core.terminate(excess)
        }
        // Only responses leave early. Acknowledgements wait, so that a flood gains nothing.
        if frames.responses > 0, core.session.outputCount >= Self.earlyWriteSize { core.wantsFlush = true }
    }

    func handleEvents() throws(NGHTTP2Error) {
        try core.drainEvents { event throws(NGHTTP2Error) in try handle(event) }
    }

    /// Makes output of what there is to send, about `writeSize` bytes of it.
    ///
    /// - Returns: whether there may be more.
    func makeOutput() -> Bool {
        guard core.sendsFrames else { return false }
        do {
            let mayHaveMore = try core.session.send(limit: Self.writeSize)
            let hadEvents = core.session.hasEvents
            try handleEvents()
            return mayHaveMore || hadEvents
        } catch {
            core.fail(.violation(error))
            return false
        }
    }

    /// What could be written has been.
    func outputWritten() {
        guard core.isOpen else { return }
        if !hasCalls { core.session.releaseMemory() }
        if core.session.isFinished {
            core.end(orderlyEnding)
        } else {
            outputWaits()
        }
    }

    /// Looks at all limits on time.
    func tick(at now: NIODeadline) {
        core.now = now
        guard core.isOpen else { return }
        if now >= core.closeBy { return core.fail(.ourselves("the other side has stopped reading")) }
        core.restartTicks()
        if let next = checkTime() { core.tick(by: next) }
    }

    /// Sends a PING to a peer that has been silent, and gives one up that stays so.
    func checkKeepalive() -> NIODeadline? {
        switch core.keepalive?.step(at: core.now, hasCalls: hasCalls) {
        case .wait(let next):
            return next
        case .ping(let next):
            attempt { () throws(NGHTTP2Error) in
                try core.session.submitPing(payload: Keepalive.pingPayload)
            }
            return next
        case .giveUp:
            core.fail(.silence)
            return nil
        case nil:
            return nil
        }
    }

    /// Tells the session something. What nghttp2 cannot do ends the connection.
    func attempt(_ body: () throws(NGHTTP2Error) -> Void) {
        do {
            try body()
        } catch {
            core.fail(.violation(error))
        }
    }
}
