import SumCore
import Testing

@testable import sum_client

@Suite struct ChunkLedgerTests {
    private let start = ContinuousClock.now
    private let lost = GRPCStatus(code: .unavailable, message: "lost")
    private let refused = GRPCStatus(code: .outOfRange, message: "refused")

    private func take(
        _ server: Int, _ live: Set<Int>, _ ledger: inout ChunkLedger
    ) throws -> ChunkLedger.Chunk {
        let chunk = ledger.take(for: server, live: live, at: start)
        return try #require(chunk)
    }

    @Test("Chunks are taken in the order of the input, and their answers add up in any order")
    func order() throws {
        var ledger = ChunkLedger(serverCount: 2)
        ledger.add([1, 2])
        #expect(!ledger.isFull)
        ledger.add([3])
        #expect(ledger.isFull)
        ledger.add([])
        let first = try take(0, [0, 1], &ledger)
        let second = try take(1, [0, 1], &ledger)
        #expect(ledger.take(for: 0, live: [0, 1], at: start) == nil)
        #expect([first.numbers, second.numbers] == [[1, 2], [3]])
        ledger.endInput()
        #expect(try ledger.settle(second.id, by: 1, .sum(3)) == true)
        #expect(!ledger.isDone)
        #expect(try ledger.settle(first.id, by: 0, .sum(3)) == true)
        #expect(ledger.isDone)
        #expect(ledger.sum == 6)
        #expect(ledger.count == 3)
    }

    @Test("A lost chunk is the next, but for another server, unless that has lost it too or is not there")
    func lostChunk() throws {
        var ledger = ChunkLedger(serverCount: 2)
        ledger.add([1])
        ledger.add([2])
        let first = try take(0, [0, 1], &ledger)
        #expect(try ledger.settle(first.id, by: 0, .unavailable(lost)) == false)
        #expect(ledger.take(for: 0, live: [0, 1], at: start)?.numbers == [2])
        #expect(ledger.take(for: 0, live: [0, 1], at: start) == nil)
        #expect(ledger.take(for: 1, live: [0, 1], at: start)?.id == first.id)
        #expect(try ledger.settle(first.id, by: 1, .unavailable(lost)) == false)
        #expect(ledger.take(for: 0, live: [0, 1], at: start)?.id == first.id)

        var alone = ChunkLedger(serverCount: 2)
        alone.add([1])
        let chunk = try take(0, [0, 1], &alone)
        #expect(try alone.settle(chunk.id, by: 0, .unavailable(lost)) == false)
        #expect(alone.take(for: 0, live: [0], at: start)?.id == chunk.id)
    }

    @Test("A chunk that is lost three times by each server ends the run with the last reason")
    func hopeless() throws {
        var ledger = ChunkLedger(serverCount: 2)
        ledger.add([1])
        for attempt in 1...6 {
            let server = attempt % 2
            let chunk = try take(server, [0, 1], &ledger)
            if attempt < 6 {
                #expect(try ledger.settle(chunk.id, by: server, .unavailable(lost)) == false)
            } else {
                let status = #expect(throws: GRPCStatus.self) {
                    _ = try ledger.settle(chunk.id, by: server, .unavailable(lost))
                }
                #expect(status == GRPCStatus(code: .unavailable, message: "lost (tried 6 times)"))
            }
        }
    }

    @Test("A sum that does not fit is taken as it is told; if it is not told, the halves are added")
    func outOfRange() throws {
        var ledger = ChunkLedger(serverCount: 1)
        ledger.add([.max, .max, 5])
        let whole = try take(0, [0], &ledger)
        #expect(try ledger.settle(whole.id, by: 0, .exactSum(4_294_967_299)) == true)
        #expect(ledger.sum == 4_294_967_299)

        ledger.add([.max, .max, -7])
        let chunk = try take(0, [0], &ledger)
        #expect(try ledger.settle(chunk.id, by: 0, .outOfRange(refused)) == false)
        var halves: [[Int32]] = []
        while let half = ledger.take(for: 0, live: [0], at: start) { halves.append(half.numbers) }
        #expect(Set(halves) == [[.max], [.max, -7]])

        ledger = ChunkLedger(serverCount: 1)
        ledger.add([3])
        let single = try take(0, [0], &ledger)
        #expect(throws: GRPCStatus.self) { _ = try ledger.settle(single.id, by: 0, .outOfRange(refused)) }
    }

    @Test("After the input has ended a stuck chunk is given to an idle server as well, and counts once")
    func stuck() throws {
        var ledger = ChunkLedger(serverCount: 2)
        ledger.add([9])
        let chunk = try take(0, [0, 1], &ledger)
        let later = start + ChunkLedger.patience
        #expect(ledger.take(for: 1, live: [0, 1], at: later) == nil)
        ledger.endInput()
        #expect(ledger.take(for: 1, live: [0, 1], at: later - .nanoseconds(1)) == nil)
        #expect(ledger.take(for: 0, live: [0, 1], at: later) == nil)
        #expect(ledger.take(for: 1, live: [0, 1], at: later)?.id == chunk.id)
        #expect(try ledger.settle(chunk.id, by: 1, .sum(9)) == true)
        #expect(ledger.isDone)
        #expect(try ledger.settle(chunk.id, by: 0, .sum(9)) == false)
        #expect(ledger.sum == 9)
    }

    @Test("If the server that was given a stuck chunk is stuck as well, the next gets it")
    func stuckTwice() throws {
        var ledger = ChunkLedger(serverCount: 3)
        ledger.add([9])
        ledger.endInput()
        let chunk = try take(0, [0, 1, 2], &ledger)
        let later = start + ChunkLedger.patience
        #expect(ledger.take(for: 1, live: [0, 1, 2], at: later)?.id == chunk.id)
        #expect(ledger.take(for: 2, live: [0, 1, 2], at: later) == nil)
        #expect(ledger.take(for: 2, live: [0, 1, 2], at: later + ChunkLedger.patience)?.id == chunk.id)
        #expect(try ledger.settle(chunk.id, by: 2, .sum(9)) == true)
        #expect(ledger.isDone)
    }

    @Test("Whatever servers do with the chunks, the sum is that of all numbers, or there is none")
    func property() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            let serverCount = Int.random(in: 1...3, using: &random)
            let numbers = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                [Int32.max, .min, 1, -1, Int32.random(in: .min ... .max, using: &random)].randomElement() ?? 0
            }
            var ledger = ChunkLedger(serverCount: serverCount)
            var input = numbers[...]
            var held: [(server: Int, chunk: ChunkLedger.Chunk)] = []
            let live = Set(0..<serverCount)
            var now = start
            var hasFailed = false
            while !ledger.isDone, !hasFailed {
                now += .milliseconds(100)
                if !input.isEmpty {
                    let piece = input.prefix(Int.random(in: 1...10, using: &random))
                    input = input.dropFirst(piece.count)
                    ledger.add(Array(piece))
                } else {
                    ledger.endInput()
                }
                let server = Int.random(in: 0..<serverCount, using: &random)
                if let chunk = ledger.take(for: server, live: live, at: now) { held.append((server, chunk)) }
                guard let index = held.indices.randomElement(using: &random) else { continue }
                let (holder, chunk) = held.remove(at: index)
                let exact = chunk.numbers.reduce(Int128(0)) { $0 + Int128($1) }
                let answer: ChunkLedger.Answer
                switch Int.random(in: 0..<10, using: &random) {
                case 0, 1: answer = .unavailable(lost)
                case 2..<6 where Int32(exactly: exact) == nil: answer = .outOfRange(refused)
                default: answer = Int32(exactly: exact).map { .sum($0) } ?? .exactSum(exact)
                }
                do { _ = try ledger.settle(chunk.id, by: holder, answer) } catch { hasFailed = true }
            }
            guard !hasFailed else { continue }
            #expect(ledger.sum == numbers.reduce(Int128(0)) { $0 + Int128($1) })
            #expect(ledger.count == numbers.count)
        }
    }
}
