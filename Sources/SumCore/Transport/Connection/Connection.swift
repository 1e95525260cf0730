internal import NIOCore

/// One end of an HTTP/2 connection, without I/O. Input is bytes and the time; output is bytes, the time of the next
/// tick, and the end of the connection (all in `core`).
///
/// `ConnectionHandler` drives it over a socket; tests drive it with frames and their own clock. Use it from one thread
/// at a time. The handlers that it calls may call back into it.
protocol Connection: AnyObject, SendableMetatype {
    var core: ConnectionCore { get }

    /// Bytes of output gathered for one write. This much may wait in the socket's queue if the peer does not read.
    static var writeSize: Int { get }
    /// Whether we send before the peer has sent anything.
    static var speaksFirst: Bool { get }

    /// Whether there are open calls.
    var hasCalls: Bool { get }
    /// Whether to stop reading, because handlers have not yet taken what has arrived.
    var hasBacklog: Bool { get }

    /// The socket is connected.
    func opened(_ transport: Transport<Self>)
    /// Handles an event of the session.
    func handle(_ event: consuming HTTP2Event) throws(NGHTTP2Error)
    /// Called before input is received; `budget` bounds the slow work done for it.
    func willRead(_ budget: TurnBudget)
    /// Called before a slice of input is parsed.
    func willReceive(_ bytes: ByteBuffer)
    /// Does remaining slow work, as much as `turn` allows.
    func takeTurn(within turn: inout TurnBudget, at now: NIODeadline)
    /// Called after a slice of input has been parsed.
    func judgeInput() throws(NGHTTP2Error)
    /// The peer did not begin with HTTP/2.
    func receiveInvalidPreface(_ bytes: ByteBuffer)
    /// A PING was sent to a silent peer.
    func keepaliveSent()
    /// Some output could not be written, or waits for credit from the peer.
    func outputWaits()
    /// Does what is due.
    ///
    /// - Returns: when to check again; nil if there is nothing to wait for.
    func checkTime() -> NIODeadline?
    /// How to close the connection once both sides are done with it.
    var orderlyEnding: Ending { get }
    /// The socket is closed. Called once, and last.
    func closed()
}

/// What a connection knows about its socket.
struct Transport<C: Connection>: Sendable {
    var peer: Peer
    /// When the socket was connected, if that was before the connection is opened, since TLS came first.
    var connectedAt: NIODeadline?
    /// Tells the time; nil in tests, where the time is that of the input.
    var clock: (@Sendable () -> NIODeadline)?
    /// Runs an action on the connection's thread, then sends the resulting output. May be called from any thread.
    var run: @Sendable (@escaping @Sendable (C) -> Void) -> Void
}

extension Connection {
    /// Bytes of output, about ten responses, that are written before more input is parsed. The peer can then work on
    /// them meanwhile, instead of the two sides taking turns to wait.
    private static var earlyWriteSize: Int { 512 }

    func willReceive(_ bytes: ByteBuffer) {}
    func keepaliveSent() {}

    func open(_ transport: Transport<Self>, at now: NIODeadline) {
        core.now = now
        opened(transport)
        tick(at: now)
    }

    /// Takes the next slice of `bytes`, which the peer sent. Call it until none are left. If `core.wantsFlush` is set,
    /// write the output in between.
    @specialized(where Self == ServerConnection)
    @specialized(where Self == ClientConnection)
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

    /// Applies the limits after a slice of input.
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
        // Only responses are sent early. Acknowledgements wait, so that a flood of frames gains nothing.
        if frames.responses > 0, core.session.outputCount >= Self.earlyWriteSize { core.wantsFlush = true }
    }

    @specialized(where Self == ServerConnection)
    @specialized(where Self == ClientConnection)
    func handleEvents() throws(NGHTTP2Error) {
        let session = core.session
        while let event = session.takeEvent() { try handle(event) }
    }

    /// Makes up to about `writeSize` bytes of output.
    ///
    /// - Returns: whether there may be more.
    @specialized(where Self == ServerConnection)
    @specialized(where Self == ClientConnection)
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

    /// All output that could be written has been written.
    func outputWritten() {
        guard core.isOpen else { return }
        if !hasCalls { core.session.releaseMemory() }
        if core.session.isFinished {
            core.end(orderlyEnding)
        } else {
            outputWaits()
        }
    }

    /// Checks all time limits.
    func tick(at now: NIODeadline) {
        core.now = now
        guard core.isOpen else { return }
        if now >= core.closeBy { return core.fail(.ourselves("the other side has stopped reading")) }
        core.restartTicks()
        if let next = checkTime() { core.tick(by: next) }
    }

    /// Sends a PING to a silent peer, and fails the connection if it stays silent.
    func checkKeepalive() -> NIODeadline? {
        switch core.keepalive?.step(at: core.now, hasCalls: hasCalls) {
        case .wait(let next):
            return next
        case .ping(let next):
            attempt { () throws(NGHTTP2Error) in
                try core.session.submitPing(payload: Keepalive.pingPayload)
            }
            keepaliveSent()
            return next
        case .giveUp:
            core.fail(.silence)
            return nil
        case nil:
            return nil
        }
    }

    /// Passes something to the session. An error from nghttp2 ends the connection.
    func attempt(_ body: () throws(NGHTTP2Error) -> Void) {
        do {
            try body()
        } catch {
            core.fail(.violation(error))
        }
    }
}
