import NIOCore
import NIOEmbedded
import Testing

@testable import SumCore

/// The two ends of a connection in memory, on a loop that is turned by hand.
@Suite struct MemoryChannelTests {
    /// Notes what happens at an end; reads only when it is told to, unless `isEager`.
    private final class Notes: ChannelDuplexHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        var isEager = true
        private(set) var events: [String] = []
        private(set) var byteCount = 0

        func channelActive(context: ChannelHandlerContext) { events.append("active") }
        func channelInactive(context: ChannelHandlerContext) { events.append("inactive") }
        func channelReadComplete(context: ChannelHandlerContext) {}
        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let count = unwrapInboundIn(data).readableBytes
            byteCount += count
            events.append("read \(count)")
        }
        func channelWritabilityChanged(context: ChannelHandlerContext) {
            events.append(context.channel.isWritable ? "writable" : "full")
        }
        func read(context: ChannelHandlerContext) {
            if isEager { context.read() }
        }
    }

    private let loop = EmbeddedEventLoop()
    private let near: MemoryChannel
    private let far: MemoryChannel
    private let nearNotes = Notes()
    private let farNotes = Notes()

    init() throws {
        (near, far) = MemoryChannel.pair(on: loop)
        try near.pipeline.syncOperations.addHandler(nearNotes)
        try far.pipeline.syncOperations.addHandler(farNotes)
    }

    private func open() {
        far.open()
        near.open()
        loop.run()
    }

    private func bytes(_ count: Int) -> ByteBuffer { ByteBuffer(repeating: 1, count: count) }

    @Test("Bytes arrive in order, and only when they were flushed")
    func order() throws {
        open()
        let written = near.write(bytes(1))
        near.write(bytes(2), promise: nil)
        loop.run()
        #expect(farNotes.events == ["active"])
        near.flush()
        loop.run()
        try written.wait()
        #expect(farNotes.events == ["active", "read 1", "read 2"])
        #expect(nearNotes.events == ["active"])
        near.close(promise: nil)
        loop.run()
    }

    @Test("An end that does not read makes the other full, until it reads again")
    func backpressure() throws {
        farNotes.isEager = false
        open()
        for _ in 0..<3 { near.writeAndFlush(bytes(30 << 10), promise: nil) }
        loop.run()
        #expect(!near.isWritable)
        #expect(try near.syncOptions?.getOption(.bufferedWritableBytes) == 90 << 10)
        #expect(farNotes.byteCount == 0)
        farNotes.isEager = true
        far.read()
        loop.run()
        #expect(farNotes.byteCount == 90 << 10)
        #expect(nearNotes.events == ["active", "full", "writable"])
        near.close(promise: nil)
        loop.run()
    }

    @Test(
        "An end that closes has its flushed bytes delivered, and takes the other with it",
        arguments: [true, false])
    func end(_ isEager: Bool) throws {
        farNotes.isEager = isEager
        open()
        near.writeAndFlush(bytes(1), promise: nil)
        let lost = near.write(bytes(2))
        near.close(promise: nil)
        loop.run()
        #expect(farNotes.events == ["active", "read 1", "inactive"])
        #expect(nearNotes.events == ["active", "inactive"])
        #expect(throws: ChannelError.self) { try lost.wait() }
        try near.closeFuture.wait()
        try far.closeFuture.wait()
        #expect(!near.isActive)
        #expect(!far.isActive)
        #expect(throws: ChannelError.self) { try far.writeAndFlush(bytes(1)).wait() }
        #expect(throws: ChannelError.self) { try far.close().wait() }
    }

    @Test("Ends that were never opened close quietly")
    func unopened() throws {
        near.close(promise: nil)
        loop.run()
        try far.closeFuture.wait()
        #expect(nearNotes.events == [])
        #expect(farNotes.events == [])
        far.open()
        #expect(farNotes.events == [])
    }
}
