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

    @Test("grpc-K14: a call that the server refused is tried again at once, once, also without retries")
    func refused() {
        var policy = RetryPolicy(maxRetries: 0)
        #expect(pause(&policy, end(.unavailable, .notSeenByServer)) == .zero)
        #expect(pause(&policy, end(.unavailable, .notSeenByServer)) == nil)
        #expect(policy.retries == 0)
    }

    @Test("grpc-K14: a call that never left is tried again, but not for ever")
    func unsent() {
        var policy = RetryPolicy(maxRetries: 0)
        let pauses = (0..<5).map { _ in pause(&policy, end(.unavailable, .notSentOnWire)) }
        #expect(pauses[0] == .zero)
        #expect(pauses.allSatisfy { $0 != nil })
        #expect(pause(&policy, end(.unavailable, .notSentOnWire)) == nil)
    }

    @Test("grpc-K14: UNAVAILABLE is tried again as often as asked, with pauses that grow, nothing else is")
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
        "grpc-K14: the server's word on retries goes before ours",
        arguments: [
            ("0", 0), ("250", 250), ("-1", nil), ("x", nil), ("99999999999", nil),
        ] as [(String, Int?)])
    func pushback(_ text: String, _ milliseconds: Int?) {
        var policy = RetryPolicy(maxRetries: 1)
        #expect(pause(&policy, end(pushback: text)) == milliseconds.map { .milliseconds($0) })
    }

    @Test("grpc-K14: what was sent is not kept any more, or there is no time")
    func impossible() throws {
        var policy = RetryPolicy(maxRetries: 3)
        let tooMuch = overflowing()
        let kept = try #require(message(&policy, end(), tooMuch))
        #expect(kept == "why (more was sent than the 262144 bytes kept for another attempt)")
        #expect(pause(&policy, end(.unavailable, .notSeenByServer), tooMuch) == nil)
        var begun = ReplayBuffer()
        begun.drop()
        #expect(message(&policy, end(), begun) == "why")
        let late = try #require(message(&policy, end(), timeLeft: .milliseconds(10)))
        #expect(late.contains("deadline"))
    }

    @Test(
        "grpc-K14: what was sent is sent again, from the first byte, wherever frames were cut",
        arguments: 1...9)
    func replay(_ room: Int) {
        var buffer = ReplayBuffer()
        var source = ByteBuffer(bytes: 0..<40)
        func send(_ frames: Int) -> [UInt8] {
            (0..<frames).flatMap { _ in
                withFrame(room: room) { frame in
                    buffer.fill(&frame) { frame in
                        frame.append(moving: &source)
                        return source.readableBytes == 0 ? .finished : .open
                    }
                }.bytes
            }
        }
        let first = send(3)
        #expect(first == Array(0..<UInt8(3 * room)))
        #expect(buffer.rewind() == true)
        #expect(send(60) == Array(0..<40))
        #expect(buffer.isWhole)
        #expect(buffer.rewind() == true)
        #expect(send(60) == Array(0..<40))
    }

    @Test("grpc-K14: nothing passes the buffer by while it keeps what is sent, or has it to send again")
    func bypass() {
        var buffer = ReplayBuffer()
        #expect(!buffer.isOver)
        _ = withFrame(room: 4) { frame in
            buffer.fill(&frame) { frame in
                frame.append(1, as: UInt8.self)
                return .open
            }
        }
        #expect(buffer.rewind() == true)
        buffer.drop()
        #expect(!buffer.isOver)
        _ = withFrame(room: 4) { frame in buffer.fill(&frame) { _ in .open } }
        #expect(buffer.isOver)
    }

    @Test("grpc-K14: no more than its limit is kept")
    func overflow() {
        #expect(overflowing(frames: 16).isWhole)
        #expect(overflowing(frames: 17).isWhole == false)
        #expect(overflowing(frames: 17).hasOverflowed)
    }

    /// A buffer after frames of 16 KiB.
    private func overflowing(frames: Int = 17) -> ReplayBuffer {
        var buffer = ReplayBuffer()
        for _ in 0..<frames {
            _ = withFrame(room: 16 << 10) { frame in
                buffer.fill(&frame) { frame in
                    var bytes = ByteBuffer(repeating: 1, count: 16 << 10)
                    frame.append(moving: &bytes)
                    return .open
                }
            }
        }
        return buffer
    }
}
