import NIOCore
import Testing

@testable import SumCore

/// The values that decide about floods, and about what does not come or go, without a connection.
@Suite struct FrameBudgetTests {
    private func at(_ seconds: Double) -> NIODeadline {
        .uptimeNanoseconds(0) + .nanoseconds(Int64(seconds * 1e9))
    }

    @Test("A bucket has its burst, and its rate after that")
    func bucket() {
        var bucket = TokenBucket(burst: 10, perSecond: 2, now: at(0))
        #expect(bucket.take(10, at: at(0)) == true)
        #expect(bucket.take(1, at: at(0.4)) == false)
        bucket = TokenBucket(burst: 10, perSecond: 2, now: at(0))
        #expect(bucket.take(10, at: at(0)) == true)
        #expect(bucket.take(1, at: at(0.5)) == true)
        #expect(bucket.take(10, at: at(1000)) == true)
        #expect(bucket.take(1, at: at(1000)) == false)
    }

    @Test("What is given to a bucket fills it up to its burst")
    func giving() {
        var bucket = TokenBucket(burst: 10, perSecond: 0, now: at(0))
        bucket.give(100)
        #expect(bucket.take(10, at: at(0)) == true)
        bucket.give(3)
        #expect(bucket.take(3, at: at(0)) == true)
        #expect(bucket.take(1, at: at(0)) == false)
    }

    @Test("Time that runs backwards, and large numbers, do no harm")
    func extremes() {
        var bucket = TokenBucket(burst: .max, perSecond: .max, now: at(5))
        #expect(bucket.take(.max, at: at(0)) == true)
        bucket.give(.max)
        #expect(bucket.take(.max, at: .distantFuture) == true)
    }

    private func budget(resets: Int? = 20) -> FrameBudget {
        FrameBudget(overhead: 100, resets: resets, now: at(0))
    }

    @Test(
        "grpc-K17: what is too much at once",
        arguments: [
            (FrameCounts(overhead: 100), nil), (FrameCounts(overhead: 101), .overhead),
            (FrameCounts(resets: 20), nil), (FrameCounts(resets: 21), .resets),
            (FrameCounts(faults: 10), nil), (FrameCounts(faults: 11), .resets),
            (FrameCounts(data: 1 << 40, headerLists: 1 << 40, answers: 1 << 40, ends: 1 << 40), nil),
        ] as [(FrameCounts, GoAwayReason?)])
    func burst(_ frames: FrameCounts, _ offence: GoAwayReason?) {
        var budget = budget()
        #expect(budget.offence(frames, queued: 0, at: at(0)) == offence)
    }

    @Test("Honest work makes up for frames without data, and for resets")
    func earnedFrames() {
        var budget = budget()
        for _ in 0..<1000 {
            #expect(budget.offence(FrameCounts(data: 50, overhead: 50), queued: 0, at: at(0)) == nil)
            #expect(budget.offence(FrameCounts(overhead: 50, answers: 5), queued: 0, at: at(0)) == nil)
            #expect(budget.offence(FrameCounts(resets: 10, ends: 10), queued: 0, at: at(0)) == nil)
            #expect(budget.offence(FrameCounts(overhead: 50, headerLists: 5), queued: 0, at: at(0)) == nil)
        }
        #expect(budget.offence(FrameCounts(data: 50, overhead: 101), queued: 0, at: at(0)) == .overhead)
    }

    @Test("A second allows a tenth of the burst")
    func rate() {
        var budget = budget()
        #expect(budget.offence(FrameCounts(overhead: 100, resets: 20), queued: 0, at: at(0)) == nil)
        #expect(budget.offence(FrameCounts(overhead: 10, resets: 2), queued: 0, at: at(1)) == nil)
        #expect(budget.offence(FrameCounts(resets: 3), queued: 0, at: at(2)) == .resets)
    }

    @Test("A client's budget does not count the resets of its server")
    func withoutResets() {
        var budget = budget(resets: nil)
        #expect(budget.offence(FrameCounts(resets: 1000, faults: 1000), queued: 0, at: at(0)) == nil)
    }

    @Test("What waits to be sent is bounded")
    func queue() {
        var budget = budget()
        #expect(budget.offence(FrameCounts(), queued: 1000, at: at(0)) == nil)
        #expect(budget.offence(FrameCounts(), queued: 1001, at: at(0)) == .unread)
    }

    @Test("grpc-K18, abuse-R10, abuse-R15: hello, then the acknowledgement, each within the limit")
    func handshake() {
        var handshake = PrefaceTimeout(limit: .seconds(10), now: at(0))
        #expect(handshake.verdict(at: at(9)) == .wait(until: at(10)))
        #expect(handshake.verdict(at: at(10)) == .isSilent)
        handshake.receivedSettings(at: at(4))
        #expect(handshake.verdict(at: at(10)) == .wait(until: at(14)))
        handshake.receivedSettings(at: at(13))
        #expect(handshake.verdict(at: at(14)) == .ignoresSettings)
        handshake.receivedAcknowledgement()
        #expect(handshake.verdict(at: at(14)) == .isDone)
        handshake.receivedSettings(at: at(15))
        #expect(handshake.verdict(at: at(100)) == .isDone)
    }

    @Test("abuse-R12, abuse-R13: a stall is what does not move for as long as the limit")
    func stall() {
        var stall = StallDetector()
        let looks: [(Double, Int?, Bool)] = [
            (0, 5, false), (10, 5, false), (29, 5, false), (30, 6, false), (59, 6, false), (60, 6, true),
            (61, nil, false), (62, 6, false), (91, 6, false), (92, 6, true),
        ]
        for (time, moved, hasLasted) in looks {
            #expect(stall.hasLasted(.seconds(30), moved: moved, at: at(time)) == hasLasted, "\(time)")
        }
        for time in [200.0, 300] { #expect(stall.hasLasted(.seconds(30), moved: nil, at: at(time)) == false) }
    }
}
