import Dispatch
import NIOCore
import Synchronization
import Testing

@testable import SumCore

/// Calls of SumNumbers with all numbers at once, and tasks on the loop of their connection.
@Suite(.timeLimit(.minutes(10))) struct OneShotSumTests {
    private static let numbers: [Int32] = [0, 1, -1, 127, 128, .max, .min, 300, -70_000]

    @Test("Begun again, it sends the same bytes, wherever it was", arguments: 0...40)
    func restart(after count: Int) {
        let sum = OneShotSum(of: Self.numbers, maxMessageSize: 1 << 20)
        let whole = withFrame(room: 200) { sum.fill(&$0) }
        sum.restart()
        if count > 0 { _ = withFrame(room: count) { sum.fill(&$0) } }
        sum.restart()
        #expect(sum.canRestart)
        #expect(withFrame(room: 200) { sum.fill(&$0) }.bytes == whole.bytes)
        #expect(sum.tally.messagesWritten == Int64(Self.numbers.count))
        #expect(sum.tally.bytesWritten == whole.bytes.count)
    }

    @Test("A frame of any size is filled, and a number is cut where it ends", arguments: 1...40)
    func frames(of size: Int) throws {
        let sum = OneShotSum(of: Self.numbers, maxMessageSize: 1 << 20)
        var bytes: [UInt8] = []
        var progress = HTTP2BodyState.open
        while progress == .open {
            let frame = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
                var frame = OutputRawSpan(buffer: UnsafeMutableRawBufferPointer(buffer), initializedCount: 0)
                progress = sum.fill(&frame)
                count = frame.finalize(for: UnsafeMutableRawBufferPointer(buffer))
            }
            try #require(!frame.isEmpty)
            bytes += frame
        }
        var expected = ByteBuffer()
        for number in Self.numbers { expected.writeNumber(number) }
        #expect(bytes == Array(expected.readableBytesView))
    }

    @Test("The sum of numbers, however many and however compressed", arguments: GRPCCompression.allCases)
    func sums(_ compression: GRPCCompression) async throws {
        try await withClient { (client) async throws in
            var options = GRPCCallOptions()
            options.compression = compression
            #expect(try await client.sum(of: [], options: options) == 0)
            #expect(try await client.sum(of: Self.numbers, options: options) == -69_446)
            let many = [Int32](repeating: 7, count: 200_000)
            #expect(try await client.sum(of: many, options: options) == 1_400_000)
        }
    }

    @Test("A sum that does not fit ends the call with its status, as does cancelling the task")
    func failures() async throws {
        let begun = AsyncStream<Void>.makeStream()
        let silent = GRPCMethod(path: SumNumbers.path) { _ in
            begun.continuation.yield()
            return SilentHandler()
        }
        try await withClient { (client) async throws in
            await #expect(throws: GRPCStatus.self) { try await client.sum(of: [.max, 1]) }
        }
        try await withClient(of: [silent]) { (client) async throws in
            let task = Task { try await client.sum(of: [1]) }
            for await _ in begun.stream { break }
            task.cancel()
            let status = await #expect(throws: GRPCStatus.self) { try await task.value }
            #expect(status?.code == .cancelled)
            let late = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await client.sum(of: [1])
            }
            let lateStatus = await #expect(throws: GRPCStatus.self) { try await late.value }
            #expect(lateStatus?.code == .cancelled)
        }
    }

    @Test("A response with two messages is an error")
    func twoMessages() async throws {
        let two = GRPCMethod(path: SumNumbers.path) { _ in RepeatingHandler(answers: 2) }
        try await withClient(of: [two]) { (client) async throws in
            let status = await #expect(throws: GRPCStatus.self) { try await client.sum(of: [1]) }
            #expect(status == .notOneMessage)
        }
    }

    @Test("Tasks on the client's executor run on the loop of its connection, and make calls of all kinds")
    func executor() async throws {
        try await withClient { (client) async throws in
            try await withTaskExecutorPreference(client.executor) { () async throws in
                #expect(client.eventLoop.inEventLoop)
                #expect(try await client.sum(of: Self.numbers) == -69_446)
                #expect(client.eventLoop.inEventLoop)
                let call = client.sumNumbers()
                let batch = [Int32](repeating: 1, count: 100_000)
                for _ in 0..<20 { try await call.send(contentsOf: batch) }
                #expect(try await call.closeAndReceive() == 2_000_000)
                let cancelled = client.sumNumbers()
                cancelled.cancel()
                #expect(await cancelled.ended().code == .cancelled)
            }
        }
    }

    @Test("A call begun on another thread is cancelled from the loop before it has started there")
    func cancelledFromLoop() async throws {
        try await withClient { (client) async throws in
            let call = try await client.eventLoop.submit {
                // The loop waits here, so that it cannot start the call.
                let begun = Mutex<SumNumbersCall?>(nil)
                let isBegun = DispatchSemaphore(value: 0)
                DispatchQueue.global().async {
                    begun.withLock { $0 = client.sumNumbers() }
                    isBegun.signal()
                }
                isBegun.wait()
                let call = begun.withLock { $0 }
                call?.cancel()
                return call
            }.get()
            #expect(await call?.ended().code == .cancelled)
        }
    }
}

/// Never responds.
private final class SilentHandler: ServerCallHandler {
    let outlivesStream = false
    func receive(_ bytes: ByteBuffer) -> ServerReply { ServerReply(consumed: bytes.readableBytes) }
    func receiveEnd() -> ServerReply { ServerReply() }
    func cancel(_ reason: GRPCStatus) {}
}

/// Responds with the sum 1, so many times.
private final class RepeatingHandler: ServerCallHandler {
    let outlivesStream = false
    let answers: Int

    init(answers: Int) {
        self.answers = answers
    }

    func receive(_ bytes: ByteBuffer) -> ServerReply { ServerReply(consumed: bytes.readableBytes) }
    func receiveEnd() -> ServerReply {
        var reply = ServerReply(end: .ok)
        for _ in 0..<answers { reply.messages.writeNumber(1) }
        return reply
    }
    func cancel(_ reason: GRPCStatus) {}
}
