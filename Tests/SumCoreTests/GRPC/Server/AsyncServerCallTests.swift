import NIOCore
import Synchronization
import Testing

@testable import SumCore

/// A call of an asynchronous handler without a connection. Its replies are collected.
@Suite(.timeLimit(.minutes(10))) struct AsyncServerCallTests {
    /// Adds up what handlers ask for.
    private final class Replies: Sendable {
        private let state = Mutex((consumed: 0, decompressed: 0, sent: 0, end: GRPCStatus?.none))
        private let changes: AsyncStream<Void>
        private let change: AsyncStream<Void>.Continuation

        init() { (changes, change) = AsyncStream.makeStream() }

        func add(_ reply: ServerReply) {
            state.withLock {
                $0.consumed += reply.consumed
                $0.decompressed += reply.decompressed
                $0.sent += reply.messages.readableBytes
                $0.end = reply.end ?? $0.end
            }
            change.yield()
        }

        var totals: (consumed: Int, decompressed: Int, sent: Int, end: GRPCStatus?) { state.withLock { $0 } }

        func wait(until condition: ((consumed: Int, decompressed: Int, sent: Int, end: GRPCStatus?)) -> Bool)
            async
        {
            for await _ in changes where condition(totals) { return }
        }
    }

    private static func context(
        _ replies: Replies, _ memory: CallMemory = CallMemory(), _ compression: GRPCCompression = .gzip
    ) -> ServerCallContext {
        .sample(
            path: "/test/Call", compression: compression, memory: memory,
            post: { reply in replies.add(reply()) })
    }

    private static func stream(_ messages: [[UInt8]]) throws -> ByteBuffer {
        var stream = ByteBuffer()
        for message in messages { try MessageWriter(compression: .gzip).write(message, to: &stream) }
        return stream
    }

    @Test("audit-M4: compressed messages are credited with their bytes on the wire")
    func credit() async throws {
        let replies = Replies()
        let handler = AsyncServerCallHandler(context: Self.context(replies)) { call in
            while try await call.next() != nil {}
        }
        let stream = try Self.stream(
            Array(repeating: [8, 1], count: 1000) + [Array(repeating: 0, count: 1 << 20), []])
        #expect(handler.receive(stream).consumed == 0)
        #expect(handler.receiveEnd().end == nil)
        await replies.wait { $0.end != nil }
        #expect(replies.totals.end == .ok)
        #expect(replies.totals.consumed == stream.readableBytes)
        #expect(replies.totals.decompressed == 2000 + 1 << 20)
    }

    @Test("audit-M2: messages that are not taken are neither decompressed nor credited")
    func untaken() async throws {
        let replies = Replies()
        let (stop, stopping) = AsyncStream.makeStream(of: Void.self)
        let handler = AsyncServerCallHandler(context: Self.context(replies)) { _ in
            for await _ in stop {}
        }
        let bombs = try Self.stream(Array(repeating: Array(repeating: 0, count: 1 << 20), count: 100))
        #expect(handler.receive(bombs).consumed == 0)
        #expect(replies.totals.consumed == 0)
        handler.cancel(GRPCStatus(code: .cancelled))
        stopping.finish()
        await replies.wait { $0.end != nil }
        #expect(replies.totals.decompressed == 0)
    }

    @Test(
        "audit-M3: the handlers of a connection hold few decompressed messages, and all make progress"
    )
    func inHand() async throws {
        let (replies, memory) = (Replies(), CallMemory())
        let inHand = Mutex((now: 0, most: 0))
        let bomb = try Self.stream([Array(repeating: 0, count: 1 << 20)])
        let handlers = (0..<20).map { _ in
            AsyncServerCallHandler(context: Self.context(replies, memory)) { call in
                let message = try await call.next()
                inHand.withLock {
                    $0.now += message?.readableBytes ?? 0
                    $0.most = max($0.most, $0.now)
                }
                for _ in 0..<100 { await Task.yield() }
                inHand.withLock { $0.now -= message?.readableBytes ?? 0 }
            }
        }
        for handler in handlers { _ = handler.receive(bomb) }
        await replies.wait { $0.decompressed == 20 << 20 }
        #expect(inHand.withLock { $0.most } == 1 << 20)
    }

    @Test("audit-M3: a handler that waits for its next message holds none, so other calls make progress")
    func idleHandlers() async throws {
        let (replies, memory) = (Replies(), CallMemory())
        let message = try Self.stream([Array(repeating: 0, count: 100 << 10)])
        let handlers = (0..<20).map { _ in
            AsyncServerCallHandler(context: Self.context(replies, memory)) { call in
                while try await call.next() != nil {}
            }
        }
        for handler in handlers { _ = handler.receive(message) }
        await replies.wait { $0.decompressed == 20 * 100 << 10 }
        for handler in handlers { handler.cancel(GRPCStatus(code: .cancelled)) }
    }

    @Test(
        "audit-M2: large unread responses wait for each other, and continue when a call is cancelled")
    func unread() async throws {
        let (replies, memory) = (Replies(), CallMemory())
        let large = Array(repeating: UInt8(1), count: 200 << 10)
        let handlers = (0..<10).map { _ in
            AsyncServerCallHandler(context: Self.context(replies, memory, .identity)) { call in
                try await call.send(large)
                try await call.send(large)
                try await call.send(large)
            }
        }
        let framed = large.count + MessagePrefix.length
        await replies.wait { $0.sent == framed }
        // There is no room for a second one, of any call.
        #expect(!memory.reserveUnsent(framed, own: 0))
        // The one whose message waits is among these; the others continue, one after the other.
        for handler in handlers { handler.cancel(GRPCStatus(code: .cancelled)) }
        // A task that has just reserved room notices only then that its call has ended.
        var generation = memory.generation
        while !memory.reserveUnsent(2 * framed, own: 0) {
            await memory.waitForChange(since: generation)
            generation = memory.generation
        }
    }
}
