internal import NIOCore

/// Gives a `Connection` a socket and a clock: the only handler in a channel's pipeline that knows HTTP/2.
///
/// Everything runs on the channel's event loop.
///
/// For the properties without a check for overlapping accesses, see `HTTP2Session`: what is said there holds here.
final class ConnectionHandler<C: Connection>: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    private enum Phase {
        case running
        /// The last bytes are being written; the socket is closed soon.
        case closing
        case closed
    }

    let connection: C
    @safe @exclusivity(unchecked) private var phase = Phase.running
    @safe @exclusivity(unchecked) private var context: ChannelHandlerContext?
    /// What the connection shares with the others on its event loop; nil: reads are not lent memory, and there is no slow
    /// work.
    private let resources: LoopResources?

    /// The one timer: the connection's next tick, or, when it is closing, the end of its time for that.
    @safe @exclusivity(unchecked) private var timer: (moment: NIODeadline, task: Scheduled<Void>)?
    @safe @exclusivity(unchecked) private var isFlushing = false
    @safe @exclusivity(unchecked) private var isFlushDue = false
    @safe @exclusivity(unchecked) private var isHoldingRead = false
    @safe @exclusivity(unchecked) private var isInTurnQueue = false
    private var coalescing = ReadCoalescing()

    /// Calls that are written before more are begun, so that the peer works on them meanwhile.
    private static var earlyFrames: Int { 10 }
    /// Control frames that may wait for a peer that does not read before we stop reading from it.
    private static var queuedFramesLimit: Int { 100 }

    init(_ connection: C, resources: LoopResources? = nil) {
        self.connection = connection
        self.resources = resources
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
        let loop = context.eventLoop
        let handler = NIOLoopBound(self, eventLoop: loop)
        let transport = Transport<C>(
            peer: Peer(address: context.remoteAddress.map(\.text) ?? ""),
            run: { action in loop.execute { handler.value.run(action) } })
        connection.open(transport, at: loop.now)
        if C.speaksFirst { flush() } else { settle() }
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
        resources?.buffers.giveBack(bytes)
        settle()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        flush()
        context.fireChannelReadComplete()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        noteBlocking(context)
        flush()
        resumeReading()
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let action = event as? ConnectionAction<C> { run(action.body) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        run { $0.core.fail(.circumstances(FailureText.describe(error))) }
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
        timer?.task.cancel()
        timer = nil
        core.now = context.eventLoop.now
        connection.closed()
        core.session.forgetBodies()
    }

    // MARK: Reading

    func read(context: ChannelHandlerContext) {
        if mustHoldRead {
            isHoldingRead = true
        } else if coalescing.isPausing {
            context.eventLoop.assumeIsolated().scheduleTask(in: ReadCoalescing.pause) { [weak self] in
                self?.context?.read()
            }
        } else {
            context.read()
        }
    }

    /// Reads again, if that was held back and need not be any longer.
    private func resumeReading() {
        guard isHoldingRead, !mustHoldRead else { return }
        isHoldingRead = false
        context?.read()
    }

    /// A peer that sends what must be answered and does not read the answers is made to wait, and so is one that sends
    /// faster than handlers can look at it. Other data never stops us from reading: flow control bounds it, and the credit
    /// for it comes by reading.
    private var mustHoldRead: Bool {
        connection.hasBacklog
            || context?.channel.isWritable == false && core.session.queuedFrames > Self.queuedFramesLimit
    }

    // MARK: Writing

    /// Does something with the connection, and sends what comes of it, together with what other tasks of the event loop
    /// ask for at about the same time.
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

    /// Writes what there is, for as long as the channel takes it.
    private func flush() {
        guard let context, !isFlushing, phase == .running else { return }
        write(to: context)
        noteBlocking(context)
        connection.outputWritten()
        settle()
    }

    private func write(to context: ChannelHandlerContext) {
        guard core.sendsFrames else { return }
        isFlushing = true
        defer { isFlushing = false }
        core.wantsFlush = false
        while context.channel.isWritable {
            let mayHaveMore = connection.makeOutput()
            var hasWritten = false
            core.takeOutput {
                hasWritten = true
                context.write(wrapOutboundOut($0), promise: nil)
            }
            if hasWritten { context.flush() }
            guard mayHaveMore else { break }
        }
    }

    private func noteBlocking(_ context: ChannelHandlerContext) {
        core.blockedBytes =
            context.channel.isWritable
            ? nil : (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    // MARK: Time and the end

    /// Does what the connection has come to want: a later look at the clock, turns for slow work, or its end.
    private func settle() {
        guard let context, phase == .running, !isFlushing else { return }
        if let ending = core.ending { return end(ending, context) }
        setTimer(core.nextTick)
        if connection.hasBacklog, !isInTurnQueue, let resources {
            isInTurnQueue = true
            resources.turns.add(self)
        }
    }

    private func setTimer(_ moment: NIODeadline) {
        if let timer {
            guard moment < timer.moment else { return }
            timer.task.cancel()
        }
        timer = nil
        guard let context, moment != .distantFuture else { return }
        let task = context.eventLoop.assumeIsolated().scheduleTask(deadline: moment) {
            [weak self] () -> Void in
            self?.timerFired()
        }
        timer = (moment, task)
    }

    private func timerFired() {
        timer = nil
        guard let context else { return }
        switch phase {
        case .running:
            noteBlocking(context)
            connection.tick(at: context.eventLoop.now)
            flush()
            settle()
        case .closing:
            context.close(promise: nil)
        case .closed:
            break
        }
    }

    private func end(_ ending: Ending, _ context: ChannelHandlerContext) {
        phase = .closing
        switch ending {
        case .now:
            context.close(promise: nil)
        case .afterWriting(let bytes, let limit):
            close(context, after: bytes, linger: .zero, limit: limit)
        case .afterFlush(let linger, let limit):
            write(to: context)
            // What was told of the end may have closed the channel.
            guard self.context != nil else { return }
            close(context, after: ByteBuffer(), linger: linger, limit: limit)
        }
    }

    private func close(
        _ context: ChannelHandlerContext, after bytes: ByteBuffer, linger: TimeAmount, limit: TimeAmount
    ) {
        timer?.task.cancel()
        timer = nil
        setTimer(min(context.eventLoop.now + limit, core.closeBy))
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { [self] _ in
            guard linger > .zero else { return context.close(promise: nil) }
            setTimer(context.eventLoop.now + linger)
        }
        context.writeAndFlush(wrapOutboundOut(bytes), promise: written)
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

/// An event in a channel's pipeline that asks for something to be done with its connection.
struct ConnectionAction<C: Connection>: Sendable {
    var body: @Sendable (C) -> Void
}
