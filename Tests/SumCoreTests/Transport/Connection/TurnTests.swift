import InMemoryLogging
import Logging
import NIOCore
import NIOEmbedded
import ScriptedPeers
import Testing

@testable import SumCore

/// Messages that cost far more than their bytes: the event loop is shared, and a client that goes too far loses its
/// connection.
@Suite struct TurnTests {
    static let gzipRequest: [WireField] = .request + [WireField("grpc-encoding", "gzip")]

    /// A number with an unknown field, as long as SumNumbers takes it, compressed to a hundredth of that.
    private static func bomb(_ number: UInt8) throws -> [UInt8] {
        let rest = SumNumbers.defaultMaxMessageSize - 5
        let message: [UInt8] =
            [8, number, 0x12, UInt8(rest & 0x7f | 0x80), UInt8(rest >> 7)] + Array(repeating: 0, count: rest)
        var framed = ByteBuffer()
        try MessageWriter(compression: .gzip).write(message, to: &framed)
        return [UInt8](framed.readableBytesView)
    }

    static func bombs(_ count: Int) throws -> [UInt8] {
        Array(repeatElement(try bomb(1), count: count).joined())
    }

    @Test("audit-M1: slow messages are all processed, in order, in turns of bounded length")
    func turns() throws {
        let wire = try WireChannel.server { $0.maxDecompressionExcess = 64 << 20 }
        try wire.send(.headers(Self.gzipRequest, on: 1), .data(try Self.bombs(300), on: 1))
        try wire.send(.data(try Self.bombs(1), on: 1, endStream: true))
        // Only the work of one read has been done; the response takes as many turns as its work needs.
        #expect(!wire.takeFrames().contains { $0.kind == .data })
        let work = 301 * (SumNumbers.defaultMaxMessageSize + TurnBudget.perMessage)
        var turns = 0
        while !wire.frames.contains(where: { $0.kind == .data }), turns < 10_000 {
            try wire.advance(.microseconds(50))
            turns += 1
        }
        #expect(turns >= work / TurnBudget.turn / 2)
        let answer = try #require(wire.takeFrames().first { $0.kind == .data })
        #expect(try Numbers.sum([answer.payload]) == 301)
    }

    @Test(
        "audit-M1: a call beside slow ones gets its response at once, on the same connection and on another")
    func fairness() throws {
        let wire = try WireChannel.server { $0.maxDecompressionExcess = 64 << 20 }
        try wire.send(.headers(Self.gzipRequest, on: 1), .data(try Self.bombs(300), on: 1))
        try wire.expectSum(on: 3)
        try wire.advance(.microseconds(50))
        try wire.expectSum(on: 5)
    }

    @Test("audit-M1: an event loop's turn is shared by its connections, and not longer for many")
    func manyConnections() {
        let loop = EmbeddedEventLoop()
        let queue = TurnQueue(eventLoop: loop)
        let takers = (0..<100).map { _ in Taker(work: 40_000) }
        #expect(queue.budgetForRead.left == TurnBudget.connectionSlice)
        for taker in takers { queue.add(taker) }
        #expect(queue.budgetForRead.isSpent)
        var done = 0
        for _ in 0..<10_000 where takers.contains(where: { $0.work > 0 }) {
            loop.advanceTime(by: .microseconds(50))
            let now = takers.reduce(0) { $0 + $1.done }
            #expect(now - done <= TurnBudget.turn)
            done = now
            // No call is two slices ahead of another.
            let (least, most) = (takers.map(\.done).min() ?? 0, takers.map(\.done).max() ?? 0)
            #expect(most - least <= TurnBudget.connectionSlice)
        }
        #expect(done == 100 * 40_000)
        #expect(!queue.budgetForRead.isSpent)
    }

    private final class Taker: TurnTaker {
        var (work, done) = (0, 0)

        init(work: Int) { self.work = work }

        func takeTurn(within budget: inout TurnBudget) -> Bool {
            while !budget.isSpent, work > 0 {
                budget.spendOnMessage(of: 100 - TurnBudget.perMessage)
                work -= 100
                done += 100
            }
            return work > 0
        }
    }

    @Test("audit-M1: messages that decompress to far more than was sent end the connection, with the reason")
    func offence() throws {
        let log = InMemoryLogHandler()
        let wire = try WireChannel.server(log: log) { $0.maxDecompressionExcess = 1 << 20 }
        try wire.send(.headers(Self.gzipRequest, on: 1))
        for _ in 0..<10 where wire.isOpen {
            try wire.send(.data(try Self.bombs(100), on: 1))
            try wire.finishTurns()
        }
        #expect(wire.goAway?.code == .enhanceYourCalm)
        #expect(wire.goAway?.debug == "too_much_decompressed")
        #expect(!wire.isOpen)
        #expect(log.entries.compactMap { $0.metadata["error"] } == ["\(CloseReason.decompression)"])
    }

    @Test("audit-M1: a call whose deadline passes while its messages wait ends, and they are credited")
    func deadline() throws {
        let wire = try WireChannel.server { $0.maxDecompressionExcess = 64 << 20 }
        try wire.send(
            .headers(Self.gzipRequest + [WireField("grpc-timeout", "10u")], on: 1),
            .data(try Self.bombs(300), on: 1))
        try wire.finishTurns()
        #expect(wire.takeFrames().compactMap { $0["grpc-status"] } == ["4"])
        try wire.expectSum(on: 3)
    }

    @Test("audit-M1: a call that is reset while its messages wait is forgotten")
    func reset() throws {
        let wire = try WireChannel.server { $0.maxDecompressionExcess = 64 << 20 }
        try wire.send(
            .headers(Self.gzipRequest, on: 1), .data(try Self.bombs(300), on: 1), .rstStream(8, on: 1))
        try wire.finishTurns()
        try wire.expectSum(on: 3)
    }
}
