import NIOCore
import Testing

@testable import SumCore

@Suite struct FrameBudgetTests {
    private func budget(resets: Int? = 20) -> FrameBudget {
        FrameBudget(overhead: 100, resets: resets, now: at(0))
    }

    @Test(
        "grpc-K17: more than the burst",
        arguments: [
            (FrameCounts(overhead: 100), nil), (FrameCounts(overhead: 101), .overhead),
            (FrameCounts(resets: 20), nil), (FrameCounts(resets: 21), .resets),
            (FrameCounts(faults: 10), nil), (FrameCounts(faults: 11), .resets),
            (FrameCounts(data: 1 << 40, headerLists: 1 << 40, responses: 1 << 40, ends: 1 << 40), nil),
        ] as [(FrameCounts, CloseReason?)])
    func burst(_ frames: FrameCounts, _ offence: CloseReason?) {
        var budget = budget()
        #expect(budget.excess(frames, queued: 0, at: at(0)) == offence)
    }

    @Test("Honest work pays for frames without data, and for resets")
    func earnedFrames() {
        var budget = budget()
        for _ in 0..<1000 {
            #expect(budget.excess(FrameCounts(data: 50, overhead: 50), queued: 0, at: at(0)) == nil)
            #expect(budget.excess(FrameCounts(overhead: 50, responses: 5), queued: 0, at: at(0)) == nil)
            #expect(budget.excess(FrameCounts(resets: 10, ends: 10), queued: 0, at: at(0)) == nil)
            #expect(budget.excess(FrameCounts(overhead: 50, headerLists: 5), queued: 0, at: at(0)) == nil)
        }
        #expect(budget.excess(FrameCounts(data: 50, overhead: 101), queued: 0, at: at(0)) == .overhead)
    }

    @Test("A second refills a tenth of the burst")
    func rate() {
        var budget = budget()
        #expect(budget.excess(FrameCounts(overhead: 100, resets: 20), queued: 0, at: at(0)) == nil)
        #expect(budget.excess(FrameCounts(overhead: 10, resets: 2), queued: 0, at: at(1)) == nil)
        #expect(budget.excess(FrameCounts(resets: 3), queued: 0, at: at(2)) == .resets)
    }

    @Test("A client's budget does not count the resets of its server")
    func withoutResets() {
        var budget = budget(resets: nil)
        #expect(budget.excess(FrameCounts(resets: 1000, faults: 1000), queued: 0, at: at(0)) == nil)
    }

    @Test("Frames waiting to be sent are bounded")
    func queue() {
        var budget = budget()
        #expect(budget.excess(FrameCounts(), queued: 1000, at: at(0)) == nil)
        #expect(budget.excess(FrameCounts(), queued: 1001, at: at(0)) == .unread)
    }
}
