import Testing

@testable import SumCore

@Suite struct BackoffTests {
    @Test("grpc-K8: pauses grow by a factor of 1.6 up to the longest, each with a jitter of 20 %")
    func growth() {
        var backoff = Backoff(first: .milliseconds(20), longest: .seconds(120))
        var expected = 20.0
        for _ in 0..<30 {
            let pause = backoff.next() / .milliseconds(1)
            #expect((expected * 0.79...expected * 1.21).contains(pause))
            expected = min(expected * 1.6, 120_000)
        }
        #expect(expected == 120_000)
    }

    @Test("grpc-K8: two clients do not retry at the same time")
    func spread() {
        let pauses = (0..<20).map { _ in
            var backoff = Backoff(first: .seconds(1), longest: .seconds(120))
            return backoff.next()
        }
        #expect(Set(pauses).count > 10)
    }
}
