internal import NIOCore
internal import Synchronization

/// One end of a connection that is nothing but memory. Both ends are on one event loop.
///
/// Bytes that are written wait at the other end until it reads. An end is not writable while too many wait.
final class MemoryChannel: Channel {
    let eventLoop: any EventLoop
    private let state: NIOLoopBoundBox<State>
    private let activity = Atomic(false)
    private let closed: EventLoopPromise<Void>
    /// Made when it is first needed, since it refers to the channel.
    private let lazyPipeline = AtomicLazyReference<ChannelPipeline>()

    /// Waiting bytes at which an end is no longer writable, and those at which it is again, as for NIO's sockets.
    private static let (highWaterMark, lowWaterMark) = (64 << 10, 32 << 10)

    private struct State {
        /// nil once it has closed.
        var other: MemoryChannel?
        /// Written at this end, and not flushed.
        var unflushed: [(bytes: ByteBuffer, promise: EventLoopPromise<Void>?)] = []
        /// Flushed at the other end, and not read here.
        var arrived = CircularBuffer<ByteBuffer>()
        /// Bytes written at this end that nobody has read.
        var unread = 0
        var isWritable = true
        var isReading = false
        var isDeliveryDue = false
        var isClosed = false
    }

    private init(on loop: any EventLoop) {
        eventLoop = loop
        state = NIOLoopBoundBox(State(), eventLoop: loop)
        closed = loop.makePromise()
    }

    /// Makes the two ends of a connection. Call it on the event loop, add handlers, then `open` both.
    static func pair(on loop: any EventLoop) -> (MemoryChannel, MemoryChannel) {
        let (one, other) = (MemoryChannel(on: loop), MemoryChannel(on: loop))
        one.state.value.other = other
        other.state.value.other = one
        return (one, other)
    }

    /// The end becomes active, and reads.
    func open() {
        guard !state.value.isClosed else { return }
        activity.store(true, ordering: .relaxed)
        pipeline.syncOperations.fireChannelRegistered()
        pipeline.syncOperations.fireChannelActive()
        pipeline.syncOperations.read()
    }

    // MARK: Channel

    var pipeline: ChannelPipeline {
        lazyPipeline.load() ?? lazyPipeline.storeIfNil(ChannelPipeline(channel: self))
    }
    var allocator: ByteBufferAllocator { ByteBufferAllocator() }
    var closeFuture: EventLoopFuture<Void> { closed.futureResult }
    var localAddress: SocketAddress? { nil }
    var remoteAddress: SocketAddress? { nil }
    var parent: (any Channel)? { nil }
    var isWritable: Bool { state.value.isWritable }
    var isActive: Bool { activity.load(ordering: .relaxed) }
    var _channelCore: any ChannelCore { self }
    var syncOptions: (any NIOSynchronousChannelOptions)? { self }

    func setOption<Option: ChannelOption>(_ option: Option, value: Option.Value) -> EventLoopFuture<Void> {
        eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
    }

    func getOption<Option: ChannelOption>(_ option: Option) -> EventLoopFuture<Option.Value> {
        eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
    }

    // MARK: Delivery

    /// Passes on what has arrived, in a turn of the loop of its own: neither end is called while it is at work.
    private func deliverSoon() {
        guard !state.value.isDeliveryDue else { return }
        state.value.isDeliveryDue = true
        eventLoop.assumeIsolated().execute { [self] in
            state.value.isDeliveryDue = false
            deliver()
        }
    }

    private func deliver() {
        guard !state.value.isClosed else { return }
        let otherHasClosed = state.value.other == nil
        guard state.value.isReading || otherHasClosed else { return }
        guard let bytes = state.value.arrived.popFirst() else {
            if otherHasClosed { close0(error: ChannelError.eof, mode: .all, promise: nil) }
            return
        }
        state.value.isReading = false
        state.value.other?.wasRead(bytes.readableBytes)
        pipeline.syncOperations.fireChannelRead(NIOAny(bytes))
        pipeline.syncOperations.fireChannelReadComplete()
        pipeline.syncOperations.read()
        if otherHasClosed { deliverSoon() }
    }

    /// The other end has read bytes that were written here.
    private func wasRead(_ count: Int) {
        state.value.unread -= count
        guard !state.value.isWritable, state.value.unread < Self.lowWaterMark else { return }
        state.value.isWritable = true
        pipeline.syncOperations.fireChannelWritabilityChanged()
    }

    private func otherClosed() {
        state.value.other = nil
        deliverSoon()
    }
}

extension MemoryChannel: ChannelCore {
    func localAddress0() throws -> SocketAddress { throw ChannelError.operationUnsupported }
    func remoteAddress0() throws -> SocketAddress { throw ChannelError.operationUnsupported }
    func register0(promise: EventLoopPromise<Void>?) { promise?.fail(ChannelError.operationUnsupported) }
    func registerAlreadyConfigured0(promise: EventLoopPromise<Void>?) {
        promise?.fail(ChannelError.operationUnsupported)
    }
    func bind0(to: SocketAddress, promise: EventLoopPromise<Void>?) {
        promise?.fail(ChannelError.operationUnsupported)
    }
    func connect0(to: SocketAddress, promise: EventLoopPromise<Void>?) {
        promise?.fail(ChannelError.operationUnsupported)
    }
    func triggerUserOutboundEvent0(_ event: Any, promise: EventLoopPromise<Void>?) {
        promise?.fail(ChannelError.operationUnsupported)
    }
    /// Nothing is left over: `ConnectionHandler` takes all bytes.
    func channelRead0(_ data: NIOAny) {}
    func errorCaught0(error: any Error) {}

    func write0(_ data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !state.value.isClosed else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        let bytes = unwrapData(data, as: ByteBuffer.self)
        state.value.unflushed.append((bytes, promise))
        state.value.unread += bytes.readableBytes
        guard state.value.isWritable, state.value.unread >= Self.highWaterMark else { return }
        state.value.isWritable = false
        pipeline.syncOperations.fireChannelWritabilityChanged()
    }

    func flush0() {
        let written = state.value.unflushed
        state.value.unflushed = []
        let other = state.value.other
        for (bytes, promise) in written {
            if let other, bytes.readableBytes > 0 { other.state.value.arrived.append(bytes) }
            promise?.succeed()
        }
        other?.deliverSoon()
    }

    func read0() {
        state.value.isReading = true
        if !state.value.arrived.isEmpty { deliverSoon() }
    }

    func close0(error: any Error, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .all else {
            promise?.fail(ChannelError.operationUnsupported)
            return
        }
        guard !state.value.isClosed else {
            promise?.fail(ChannelError.alreadyClosed)
            return
        }
        let wasActive = activity.exchange(false, ordering: .relaxed)
        let (unflushed, other) = (state.value.unflushed, state.value.other)
        state.value = State()
        (state.value.isClosed, state.value.isWritable) = (true, false)
        for (_, promise) in unflushed { promise?.fail(error) }
        promise?.succeed()
        if wasActive { pipeline.syncOperations.fireChannelInactive() }
        pipeline.syncOperations.fireChannelUnregistered()
        eventLoop.assumeIsolated().execute { [self] in
            removeHandlers(pipeline: pipeline)
            closed.succeed()
        }
        other?.otherClosed()
    }
}

extension MemoryChannel: NIOSynchronousChannelOptions {
    func setOption<Option: ChannelOption>(_ option: Option, value: Option.Value) throws {
        throw ChannelError.operationUnsupported
    }

    func getOption<Option: ChannelOption>(_ option: Option) throws -> Option.Value {
        guard option is ChannelOptions.Types.BufferedWritableBytesOption,
            let unread = state.value.unread as? Option.Value
        else { throw ChannelError.operationUnsupported }
        return unread
    }
}
