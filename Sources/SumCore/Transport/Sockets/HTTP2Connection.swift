internal import NIOCore

/// Pumps bytes between a channel and its HTTP/2 session: receive, handle events, send, write.
///
/// Each role is a subclass, which handles the events. Everything runs on the channel's event loop.
class HTTP2Connection: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    /// Bytes, about ten answers, that are written before more of what has been read is looked at. So the peer works on
    /// them meanwhile, and the two sides do not wait for each other in turns.
    private static let earlyWriteSize = 512
    /// Calls that are written before more are begun, for the same reason.
    private static let earlyFrames = 10
    /// Control frames that may wait for a peer that does not read before we stop reading from it.
    private static let queuedFramesLimit = 100

    let session: HTTP2Session
    private(set) var context: ChannelHandlerContext?
    /// Why the connection failed, if it did.
    var failure: (any Error)?

    /// An array whose storage takes the session's next events.
    private var spentEvents: [HTTP2Event] = []
    private var isFlushing = false
    private var isFlushDue = false
    private var isHoldingRead = false
    private var pacing = ReadCoalescing()
    /// Whether something else than data has come, or anything has been sent, since the last piece was read.
    private var isMereData = true
    var isClosing = false

    /// Asks a silent peer whether it is there; nil: it may be silent for ever. Set when the connection opens.
    var keepalive: Keepalive?
    /// What the peer may send that is of no use. Set when the connection opens.
    var frameBudget: FrameBudget?
    /// The one task that looks after time limits, whatever there are of them, and when it does.
    var timeCheck: Scheduled<Void>?
    var nextTimeCheck = NIODeadline.distantFuture
    /// Bytes given to the channel.
    private var written = 0
    /// Bytes that the peer has sent.
    private(set) var bytesRead = 0

    init(session: HTTP2Session) {
        self.session = session
    }

    // MARK: For the role

    /// How long the peer has for closing the socket when the connection has ended.
    var closingLimit: TimeAmount { .zero }
    /// The connection is made; runs before anything is sent.
    func opened() {}
    func handle(_ event: HTTP2Event) throws(NGHTTP2Error) {}
    /// The connection is gone; runs once, last.
    func closed() {}
    /// Bytes gathered for one write to the channel: what may wait there for a peer that does not read.
    var writeSize: Int { 256 << 10 }
    /// Whether the connection is used now.
    var hasCalls: Bool { false }
    /// Whether our first bytes need not wait for the peer's.
    var speaksFirst: Bool { true }
    /// Whether there are answers that wait for the peer to take them.
    var hasUnsentAnswers: Bool { false }
    /// There is more to send than the peer takes now.
    func writeBlocked() {}
    /// Bytes have come, and are about to be looked at.
    func willRead() {}
    /// They have been looked at.
    func hasRead(_ bytes: ByteBuffer) {}
    /// Whether what has come waits for somebody to look at it.
    var hasBacklog: Bool { false }
    /// A client sent bytes that do not begin HTTP/2.
    func receiveForeign(_ bytes: ByteBuffer) { fail(NGHTTP2Error.badClientMagic) }

    /// Does what is due by time. Overridden by a role with limits of its own.
    ///
    /// - Returns: when to look again; nil when there is nothing to wait for.
    func checkTime(_ now: NIODeadline) -> NIODeadline? {
        switch keepalive?.step(at: now, hasCalls: hasCalls) {
        case .wait(let next):
            return next
        case .ping(let next):
            submit { () throws(NGHTTP2Error) in try session.submitPing(payload: Keepalive.pingPayload) }
            return next
        case .giveUp:
            fail(PeerIsSilent())
            return nil
        case nil:
            return nil
        }
    }

    /// States an intent to the session and sends what comes of it. Failures of the library are the connection's.
    func submit(_ intent: () throws(NGHTTP2Error) -> Void) {
        do {
            try intent()
            flush()
        } catch {
            fail(error)
        }
    }

    /// The same for what need not leave before the other things that are due.
    func submitForLater(_ intent: () throws(NGHTTP2Error) -> Void) {
        do {
            try intent()
            flushSoon()
        } catch {
            fail(error)
        }
    }

    // MARK: ChannelHandler

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { start() }
    }

    func channelActive(context: ChannelHandlerContext) {
        start()
        context.fireChannelActive()
    }

    private func start() {
        opened()
        checkTime()
        if speaksFirst { flush() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosing else { return }
        let now = context.eventLoop.now
        keepalive?.received(at: now)
        willRead()
        let bytes = unwrapInboundIn(data)
        defer { hasRead(bytes) }
        bytesRead += bytes.readableBytes
        do {
            var rest = bytes
            while rest.readableBytes > 0, !isClosing {
                try session.receive(sliceOf: &rest)
                try handleEvents()
                try judge(at: now)
            }
            pacing.read(bytes.readableBytes, isMereData: isMereData, at: context.eventLoop.now)
            isMereData = true
        } catch NGHTTP2Error.badClientMagic {
            receiveForeign(bytes)
        } catch {
            fail(error)
        }
    }

    /// Looks at what the last slice of input was good for, and lets answers leave early.
    func judge(at now: NIODeadline) throws(NGHTTP2Error) {
        // What the peer makes us send is counted when it is made.
        if session.queuedFrames > 0, context?.channel.isWritable == true {
            _ = try session.send(limit: writeSize)
            try handleEvents()
        }
        if session.headerBlockIsTooLong { return dismiss(for: .headerBlock) }
        if let fault = session.streamFault { return dismiss(for: .found(fault)) }
        let frames = session.takeCounts()
        if let offence = frameBudget?.offence(frames, queued: session.queuedFrames, at: now) {
            return dismiss(for: offence)
        }
        // What else a peer makes us send, and be it a flood, is not helped on its way.
        if frames.answers > 0, session.outputCount >= Self.earlyWriteSize { flush() }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        flush()
        context.fireChannelReadComplete()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        flush()
        resumeReading()
        context.fireChannelWritabilityChanged()
    }

    /// Reads again, if that was held back and need not be any longer.
    func resumeReading() {
        guard isHoldingRead, !mustHoldRead else { return }
        isHoldingRead = false
        context?.read()
    }

    func read(context: ChannelHandlerContext) {
        if mustHoldRead {
            isHoldingRead = true
        } else if pacing.isPausing {
            context.eventLoop.assumeIsolated().scheduleTask(in: ReadCoalescing.pause) { [weak self] in
                self?.context?.read()
            }
        } else {
            context.read()
        }
    }

    /// A peer that sends what must be answered and does not read the answers is made to wait, and so is one that sends
    /// faster than we can look at it. Other data never stops us from reading: flow control bounds it, and the credit for
    /// it comes by reading.
    private var mustHoldRead: Bool {
        hasBacklog || context?.channel.isWritable == false && session.queuedFrames > Self.queuedFramesLimit
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(error)
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end()
    }

    private func end() {
        guard context != nil else { return }
        isClosing = true
        context = nil
        timeCheck?.cancel()
        closed()
        session.forgetBodies()
    }

    // MARK: Pump

    func handleEvents() throws(NGHTTP2Error) {
        while session.hasEvents {
            var events = session.takeEvents(reusing: spentEvents)
            for event in events {
                if case .data = event {} else { isMereData = false }
                if case .goAwaySent(let code, let debug) = event {
                    failure = failure ?? GoAwayReason.found(code, debug)
                }
                try handle(event)
            }
            // Emptied at once: DATA events hold on to the channel's read buffer.
            events.removeAll(keepingCapacity: true)
            spentEvents = events
        }
    }

    /// Sends what there is when the event loop has done what is already due, so that what many tasks ask for at
    /// about the same time goes in one write.
    func flushSoon() {
        guard session.queuedFrames < Self.earlyFrames else { return flush() }
        guard let context, !isFlushDue else { return }
        isFlushDue = true
        context.eventLoop.assumeIsolated().execute { [self] in
            isFlushDue = false
            flush()
        }
    }

    /// Sends what there is, for as long as the channel takes it.
    func flush() {
        guard let context, !isFlushing, !isClosing else { return }
        isFlushing = true
        defer { isFlushing = false }
        do {
            while context.channel.isWritable {
                let mayHaveMore = try session.send(limit: writeSize)
                let hadEvents = session.hasEvents
                try handleEvents()
                write(to: context)
                guard mayHaveMore || hadEvents else { break }
            }
            if !hasCalls { session.releaseMemory() }
        } catch {
            return fail(error)
        }
        if session.isFinished {
            closeAfterWrites(context, ByteBuffer(), within: closingLimit, atMost: Self.farewellLimit)
        } else if hasUnsentAnswers || !context.channel.isWritable {
            writeBlocked()
        }
    }

    /// How many bytes the channel's socket has taken, while the channel takes no more of us; else nil.
    var bytesPassedWhileBlocked: Int? {
        guard let channel = context?.channel, !channel.isWritable else { return nil }
        return written - ((try? channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0)
    }

    private func write(to context: ChannelHandlerContext) {
        guard session.outputCount > 0 else { return }
        isMereData = false
        written += session.outputCount
        session.takeOutput { context.write(wrapOutboundOut($0), promise: nil) }
        context.flush()
    }
}
