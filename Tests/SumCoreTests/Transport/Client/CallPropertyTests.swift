import Testing

@testable import SumCore

/// Whatever servers do to a call, in whatever order: the sum is right or there is none, a call that a server may have
/// run is not retried unless requested, and the call ends.
@Suite(.timeLimit(.minutes(10))) struct CallPropertyTests {
    private static let runs: UInt64 = 300

    @Test(
        "audit-W1, audit-W2, audit-W4: refusals, resets, broken responses, GOAWAYs, early sums, retries and cancellations in any order",
        arguments: UInt64(0)..<10)
    func anyOrder(_ part: UInt64) async throws {
        var (sums, errors) = (0, 0)
        for seed in (part * Self.runs)..<((part + 1) * Self.runs) {
            // Other tests want the thread too.
            await Task.yield()
            let world = CallWorld(seed: seed)
            try world.run()
            let sum = await world.outcome()
            if let sum {
                sums += 1; if sum != world.total { world.note("the sum \(sum), not \(world.total)") }
            } else {
                errors += 1
            }
            guard let breach = world.breach else { continue }
            Issue.record("seed \(seed), retries \(world.retries): \(breach) after \(world.log)")
            return
        }
        // A test in which every call failed, or none, would prove nothing.
        #expect(sums > Int(Self.runs) / 20 && errors > Int(Self.runs) / 20, "\(sums) sums, \(errors) errors")
    }
}
