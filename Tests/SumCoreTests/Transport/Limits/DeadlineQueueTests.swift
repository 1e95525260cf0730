import NIOCore
import Testing

@testable import SumCore

@Suite struct DeadlineQueueTests {
    private typealias Entry = (streamID: Int32, moment: NIODeadline)

    /// Takes everything whose moment has come.
    private func drain(_ queue: DeadlineQueue, at now: NIODeadline = .distantFuture) -> [Entry] {
        var (queue, entries) = (queue, [Entry]())
        while let entry = queue.popFirst(at: now) { entries.append(entry) }
        return entries
    }

    @Test(
        "Moments come in order, and none before its time",
        arguments: [
            (0, []), (1, [1]), (1.5, [1]), (2, [1, 2]), (3, [1, 2, 3, 3]), (9, [1, 2, 3, 3, 5]),
        ] as [(Double, [Double])])
    func order(_ now: Double, _ due: [Double]) {
        var queue = DeadlineQueue()
        #expect(queue.next == nil)
        for (streamID, moment) in ([3, 1, 5, 2, 3] as [Double]).enumerated() {
            queue.add(at(moment), of: Int32(streamID), streamCount: 5) { _, _ in true }
        }
        #expect(queue.next == at(1))
        let entries = drain(queue, at: at(now))
        #expect(entries.map(\.moment) == due.map(at))
        #expect(Set(entries.map(\.streamID)).count == due.count)
    }

    @Test("A moment that has been taken is gone")
    func taken() {
        var queue = DeadlineQueue()
        for moment in [2, 1] { queue.add(at(Double(moment)), of: 1, streamCount: 1) { _, _ in true } }
        #expect(queue.popFirst(at: at(1))?.moment == at(1))
        #expect(queue.popFirst(at: at(1)) == nil)
        #expect(queue.next == at(2))
        #expect(queue.popFirst(at: at(2))?.streamID == 1)
        #expect(queue.next == nil)
    }

    @Test(
        "However often moments are replaced, the queue has no more than two for each stream, and 64",
        arguments: [1, 2, 10, 500], [1, 2, 1000])
    func bound(_ streams: Int32, _ moments: UInt64) {
        var random = SeededRandom(seed: 7)
        var wanted: [Int32: NIODeadline] = [:]
        var queue = DeadlineQueue()
        for round in 0..<3000 {
            let streamID = Int32.random(in: 0..<streams, using: &random)
            // Streams come and go.
            if Int.random(in: 0..<4, using: &random) == 0 { wanted[streamID] = nil }
            let moment = at(Double(UInt64.random(in: 1...moments, using: &random)))
            let other = Int32.random(in: 0..<streams, using: &random)
            wanted[other] = moment
            queue.add(moment, of: other, streamCount: wanted.count) { wanted[$0] == $1 }
            guard round % 50 == 0 || round > 2900 else { continue }
            let entries = drain(queue)
            #expect(entries.count <= 2 * wanted.count + 64)
            // Nothing that counts is lost.
            let found = Dictionary(entries.map { ($0.streamID, [$0.moment]) }, uniquingKeysWith: +)
            #expect(wanted.allSatisfy { found[$0.key]?.contains($0.value) == true })
        }
    }

    @Test("Stale entries are dropped, once there are many; the others stay")
    func stale() {
        var queue = DeadlineQueue()
        for streamID in Int32(0)..<66 { queue.add(at(1), of: streamID, streamCount: 1) { id, _ in id == 7 } }
        #expect(drain(queue).count == 66)
        queue.add(at(2), of: 66, streamCount: 1) { id, _ in id == 7 }
        #expect(drain(queue).map(\.streamID) == [7, 66])
    }
}
