import NIOCore
import Testing

@testable import SumCore

@Suite struct RetryPolicyTests {
    private func end(
        _ code: GRPCStatus.Code = .unavailable, _ reach: ClientCallEnd.Reach = .maybeSeen,
        pushback: String? = nil
    ) -> ClientCallEnd {
        ClientCallEnd(status: GRPCStatus(code: code, message: "why"), pushback: pushback, reach: reach)
    }

    /// The pause before the next attempt; nil when there is none.
    private func pause(
        _ policy: inout RetryPolicy, _ end: ClientCallEnd, _ replay: ReplayBuffer = .init(),
        timeLeft: Duration? = nil
    ) -> Duration? {
        switch policy.decide(end, replay, timeLeft: timeLeft) {
        case .end: nil
        case .retry(let pause): pause
        }
    }

    private func message(
        _ policy: inout RetryPolicy, _ end: ClientCallEnd, _ replay: ReplayBuffer = .init(),
        timeLeft: Duration? = nil
    ) -> String? {
        switch policy.decide(end, replay, timeLeft: timeLeft) {
        case .end(let end): end.status.message
        case .retry: nil
        }
    }

    @Test("grpc-K14: a call that the server refused is retried once, at once, even without retries")
    func refused() {
        var policy = RetryPolicy(maxRetries: 0)
        #expect(pause(&policy, end(.unavailable, .notSeenByServer)) == .zero)
        #expect(pause(&policy, end(.unavailable, .notSeenByServer)) == nil)
        #expect(policy.retries == 0)
    }

    @Test("grpc-K14: a call that never left is retried a limited number of times")
    func unsent() {
        var policy = RetryPolicy(maxRetries: 0)
        let pauses = (0..<5).map { _ in pause(&policy, end(.unavailable, .notSentOnWire)) }
        #expect(pauses[0] == .zero)
        #expect(pauses.allSatisfy { $0 != nil })
        #expect(pause(&policy, end(.unavailable, .notSentOnWire)) == nil)
        #expect(policy.retries == 0)
    }

    @Test(
        "grpc-K14: the options may allow more",
        arguments: [ClientCallEnd.Reach.notSentOnWire, .notSeenByServer])
    func more(_ reach: ClientCallEnd.Reach) {
        var policy = RetryPolicy(maxRetries: 2)
        let automatic = reach == .notSentOnWire ? 5 : 1
        for _ in 0..<(automatic + 2) { #expect(pause(&policy, end(.unavailable, reach)) != nil) }
        #expect(policy.retries == 2)
        #expect(message(&policy, end(.unavailable, reach)) == "why (tried 3 times)")
    }

    @Test("grpc-K14: only UNAVAILABLE is retried, as often as requested, with growing pauses")
    func configured() throws {
        var policy = RetryPolicy(maxRetries: 3)
        #expect(pause(&policy, end(.internalError)) == nil)
        let pauses = try (0..<3).map { _ in try #require(pause(&policy, end())) }
        #expect((80...120).contains(pauses[0] / .milliseconds(1)))
        #expect(pauses[2] > pauses[0] * 1.5)
        #expect(policy.retries == 3)
        #expect(message(&policy, end()) == "why (tried 4 times)")
        var none = RetryPolicy(maxRetries: 0)
        #expect(message(&none, end()) == "why")
    }

    @Test(
        "grpc-K14: the server's pushback takes precedence over our backoff",
        arguments: [
            ("0", 0), ("250", 250), ("-1", nil), ("x", nil), ("99999999999", nil),
        ] as [(String, Int?)])
    func pushback(_ text: String, _ milliseconds: Int?) {
        var policy = RetryPolicy(maxRetries: 1)
        #expect(pause(&policy, end(pushback: text)) == milliseconds.map { .milliseconds($0) })
    }

    @Test("grpc-K14: what was sent is no longer kept, or there is no time left")
    func impossible() throws {
        var policy = RetryPolicy(maxRetries: 3)
        let tooMuch = ReplayBuffer.filled(frames: 17)
        let kept = try #require(message(&policy, end(), tooMuch))
        #expect(kept == "why (more was sent than the 262144 bytes kept for another attempt)")
        #expect(pause(&policy, end(.unavailable, .notSeenByServer), tooMuch) == nil)
        var begun = ReplayBuffer()
        begun.drop()
        #expect(message(&policy, end(), begun) == "why")
        let late = try #require(message(&policy, end(), timeLeft: .milliseconds(10)))
        #expect(late.contains("deadline"))
    }
}
