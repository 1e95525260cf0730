internal import NIOCore

/// Drives a `Connection` with a socket and a clock. It is the only handler in a channel's pipeline that knows HTTP/2.
///
/// Everything runs on the channel's event loop.
///
/// For the properties without exclusivity checks, see `HTTP2Session`; the same reasons hold here.
final class ConnectionHandler<C: Connection>: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    private enum Phase {
        /// The socket is not connected yet, or TLS is not ready.
        case waiting
        case running
        /// The last bytes are being written; the socket will soon be closed.
        case closing
        case closed
    }

    let connection: C
    /// The address of the peer, if it is not that of the socket. Set it before the channel is active.
    var peerAddress: String?
    @safe @exclusivity(unchecked) private var phase = Phase.waiting
    @safe @exclusivity(unchecked) private var context: ChannelHandlerContext?
    /// What the connection shares with others on its event loop. If nil, there is no slow work.
    private let resources: LoopResources?
    /// Where the memory of reads is borrowed from; nil if it is not.
    private let buffers: ReceiveBuffers?
    /// What TLS has found out.
    private var secured: SecuredTransport?

    /// For the connection's next tick, or, while closing, for the end of the time allowed.
    @safe @exclusivity(unchecked) private var timer = ConnectionTimer()
    @safe @exclusivity(unchecked) private var isFlushing = false
    @safe @exclusivity(unchecked) private var isFlushDue = false
    @safe @exclusivity(unchecked) private var isHoldingRead = false
    @safe @exclusivity(unchecked) private var isInTurnQueue = false
    private var coalescing = ReadCoalescing()

    /// Calls that are written before more are begun, so that the peer can work on them meanwhile.
    private static var earlyFrames: Int { 10 }
    /// Control frames that may wait for a peer that does not read before we stop reading from it.
    private static var queuedFramesLimit: Int { 100 }

    /// - Parameter borrowsBuffers: whether the channel reads into the memory of `resources`. With TLS, what comes here has
    ///   memory of its own.
    init(_ connection: C, resources: LoopResources? = nil, borrowsBuffers: Bool = true) {
        self.connection = connection
        self.resources = resources
        buffers = borrowsBuffers ? resources?.buffers : nil
    }

    private var core: ConnectionCore { connection.core }

    // MARK: ChannelHandler

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { start(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        start(context)
        context.fireChannelActive()
    }

    private func start(_ context: ChannelHandlerContext) {
        // It may have been ended in the handshake of TLS.
        guard phase == .waiting, core.isOpen else { return }
        open(context)
        if C.speaksFirst { flush() } else { settle() }
    }

    private func open(_ context: ChannelHandlerContext) {
        let loop = context.eventLoop
        let handler = NIOLoopBound(self, eventLoop: loop)
        let transport = Transport<C>(
            peer: Peer(
                address: peerAddress ?? context.remoteAddress.map(\.text) ?? "",
                certificate: secured?.certificate, tlsVersion: secured?.version),
            connectedAt: secured?.connectedAt, clock: { .now() },
            run: { action in loop.execute { handler.value.run(action) } })
        phase = .running
        connection.open(transport, at: loop.now)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard phase == .running else { return }
        let bytes = unwrapInboundIn(data)
        let now = context.eventLoop.now
        connection.willRead(resources?.turns.budgetForRead ?? TurnBudget(0))
        var rest = bytes
        while rest.readableBytes > 0 {
            connection.receive(sliceOf: &rest, at: now)
            if core.wantsFlush { flush() }
        }
        coalescing.read(bytes.readableBytes, isMereData: core.isMereData, at: context.eventLoop.now)
        core.isMereData = true
        buffers?.giveBack(bytes)
        settle()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        flush()
        context.fireChannelReadComplete()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        core.noteBlocking(by: context.channel)
        flush()
        resumeReading()
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let action = event as? ConnectionAction<C> { run(action.body) }
        if let event = event as? SecuredTransport { secured = event }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Observers are told of a connection whose handshake of TLS has failed, too.
        if phase == .waiting { open(context) }
        let reason = error as? CloseReason ?? .circumstances(FailureText.describe(error))
        run { $0.core.end(reason.isAnswered ? .answered : .now, reason) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        close()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        close()
    }

    private func close() {
        guard let context else { return }
        phase = .closed
        self.context = nil
        timer.cancel()
        core.now = context.eventLoop.now
        connection.closed()
        core.session.forgetBodies()
    }

    // MARK: Reading

    func read(context: ChannelHandlerContext) {
        if phase == .running, mustHoldRead {
            isHoldingRead = true
        } else if coalescing.isPausing {
            context.eventLoop.assumeIsolated().scheduleTask(in: ReadCoalescing.pause) { [weak self] in
                self?.context?.read()
            }
        } else {
            context.read()
        }
    }

    /// Reads again if a read was held back and no longer needs to be.
    private func resumeReading() {
        guard isHoldingRead, !mustHoldRead else { return }
        isHoldingRead = false
        context?.read()
    }

    /// Reading stops for a peer that sends what needs a response but does not read the responses, and for one that
    /// sends faster than handlers can work. Other data never stops it: flow control bounds that data, and reading also
    /// brings us credit.
    private var mustHoldRead: Bool {
        connection.hasBacklog
            || context?.channel.isWritable == false && core.session.queuedFrames > Self.queuedFramesLimit
    }

    // MARK: Writing

    /// Runs an action on the connection, then sends its output together with that of other tasks that run on the event
    /// loop at about the same time.
    @discardableResult
    func run<Result>(_ action: (C) -> Result) -> Result {
        if let context { core.now = context.eventLoop.now }
        let result = action(connection)
        if phase == .closing { setTimer(core.closeBy) } else { flushSoon() }
        return result
    }

    private func flushSoon() {
        guard core.isOpen, core.session.queuedFrames < Self.earlyFrames else { return flush() }
        guard let context, !isFlushDue else { return }
        isFlushDue = true
        context.eventLoop.assumeIsolated().execute { [self] in
            isFlushDue = false
            flush()
        }
    }

    /// Writes output for as long as the channel accepts it.
    private func flush() {
        guard let context, !isFlushing, phase == .running else { return endIfWaiting() }
        write(to: context)
        core.noteBlocking(by: context.channel)
        connection.outputWritten()
        settle()
    }

    private func write(to context: ChannelHandlerContext) {
        guard core.sendsFrames else { return }
        isFlushing = true
        defer { isFlushing = false }
        core.wantsFlush = false
        connection.write(to: context)
    }

    // MARK: Time and the end

    /// Does what the connection now requires: sets the timer, queues it for slow work, or ends it.
    private func settle() {
        guard let context, phase == .running, !isFlushing else { return }
        if let ending = core.ending { return end(ending, context) }
        setTimer(core.nextTick)
        if connection.hasBacklog, !isInTurnQueue, let resources {
            isInTurnQueue = true
            resources.turns.add(self)
        }
    }

    /// Ends a connection that was told to end before it could begin.
    private func endIfWaiting() {
        guard phase == .waiting, let context, core.ending != nil else { return }
        end(.now, context)
    }

    private func setTimer(_ moment: NIODeadline) {
        guard let context, timer.isSooner(moment) else { return }
        timer.set(moment, on: context.eventLoop) { [weak self] in self?.timerFired() }
    }

    private func timerFired() {
        timer.fired()
        guard let context else { return }
        switch phase {
        case .running:
            core.noteBlocking(by: context.channel)
            connection.tick(at: context.eventLoop.now)
            flush()
            settle()
        case .closing:
            context.close(promise: nil)
        case .waiting, .closed:
            break
        }
    }

    private func end(_ ending: Ending, _ context: ChannelHandlerContext) {
        phase = .closing
        switch ending {
        case .now:
            context.close(promise: nil)
        case .afterWriting(let bytes, let limit):
            limitEnd(to: limit, context)
            context.writeLastWords(bytes)
        case .afterGoAway(let limit):
            write(to: context)
            // What was called at the end may have closed the channel.
            guard self.context != nil else { return }
            limitEnd(to: limit, context)
            context.writeLastWords(ByteBuffer())
        case .afterFlush(let linger, let limit):
            write(to: context)
            guard self.context != nil else { return }
            limitEnd(to: limit, context)
            context.write(ByteBuffer()) { [self] in
                guard linger > .zero else { return context.close(promise: nil) }
                setTimer(context.eventLoop.now + linger)
            }
        }
    }

    private func limitEnd(to limit: TimeAmount, _ context: ChannelHandlerContext) {
        timer.cancel()
        setTimer(min(context.eventLoop.now + limit, core.closeBy))
    }
}

extension ConnectionHandler: TurnTaker {
    func takeTurn(within budget: inout TurnBudget) -> Bool {
        guard let context, phase == .running else { return false }
        connection.takeTurn(within: &budget, at: context.eventLoop.now)
        isInTurnQueue = connection.hasBacklog
        flush()
        resumeReading()
        return isInTurnQueue
    }
}
