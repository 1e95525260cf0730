import NIOCore
import Testing

@testable import SumCore

/// A call's attempts as a table: in each state, each step has one result.
@Suite struct CallAttemptsTests {
    enum Stage: CaseIterable {
        case waiting, running, cancelling, over
    }

    enum Step: CaseIterable {
        case start, refused, lost, answered, ok, cancel, giveUp
    }

    private static let cancelled = GRPCStatus(code: .cancelled, message: "gone")

    private static func end(
        _ code: GRPCStatus.Code, _ reach: ClientCallEnd.Reach = .maybeSeen
    ) -> ClientCallEnd {
        ClientCallEnd(status: GRPCStatus(code: code, message: "why"), reach: reach)
    }

    private static func attempts(in stage: Stage) -> CallAttempts {
        var attempts = CallAttempts(maxRetries: 0)
        if stage == .waiting { return attempts }
        _ = attempts.start(isReplayable: true)
        if stage == .cancelling { _ = attempts.cancel(cancelled) }
        if stage == .over { _ = attempts.end(end(.ok), ReplayBuffer(), timeLeft: nil) }
        return attempts
    }

    private static func take(_ step: Step, _ attempts: inout CallAttempts) -> CallAttempts.Action {
        switch step {
        case .start: attempts.start(isReplayable: true)
        case .refused: attempts.end(end(.unavailable, .notSeenByServer), ReplayBuffer(), timeLeft: nil)
        case .lost: attempts.end(end(.unavailable), ReplayBuffer(), timeLeft: nil)
        case .answered: attempts.end(end(.unavailable, .answered), ReplayBuffer(), timeLeft: nil)
        case .ok: attempts.end(end(.ok), ReplayBuffer(), timeLeft: nil)
        case .cancel: attempts.cancel(cancelled)
        case .giveUp: attempts.giveUpWaiting(GRPCStatus(code: .unavailable))
        }
    }

    private static let table: [Stage: [Step: CallAttempts.Action]] = [
        .waiting: [
            .start: .start(previousAttempts: 0),
            .cancel: .finish(ClientCallEnd(status: cancelled)),
            .giveUp: .finish(ClientCallEnd(status: GRPCStatus(code: .unavailable))),
        ],
        .running: [
            .refused: .retry(after: .zero), .lost: .finish(end(.unavailable)),
            .answered: .finish(end(.unavailable, .answered)), .ok: .finish(end(.ok)),
            .cancel: .endStream(cancelled),
        ],
        .cancelling: [
            .refused: .finish(ClientCallEnd(status: cancelled)),
            .lost: .finish(ClientCallEnd(status: cancelled)),
            .answered: .finish(ClientCallEnd(status: cancelled)), .ok: .finish(end(.ok)),
        ],
        .over: [:],
    ]

    @Test("audit-W4: each step has one result in each state", arguments: Stage.allCases, Step.allCases)
    func step(_ stage: Stage, _ step: Step) {
        var attempts = Self.attempts(in: stage)
        let action = Self.take(step, &attempts)
        #expect(action == Self.table[stage]?[step] ?? .nothing)
        if case .finish = action { #expect(attempts.isOver) }
    }

    @Test("audit-W4: no step starts another attempt once a call is over, or is being cancelled")
    func noFurtherAttempt() {
        for stage in [Stage.cancelling, .over] {
            for first in Step.allCases {
                for second in Step.allCases {
                    var attempts = Self.attempts(in: stage)
                    for step in [first, second, .start] {
                        switch Self.take(step, &attempts) {
                        case .start, .retry: Issue.record("\(stage), \(first), \(second): a further attempt")
                        case .nothing, .endStream, .finish: break
                        }
                    }
                }
            }
        }
    }

    @Test("audit-W1: what cannot be sent again is not: the call ends")
    func notReplayable() {
        var attempts = CallAttempts(maxRetries: 5)
        guard case .finish(let end) = attempts.start(isReplayable: false) else {
            Issue.record("an attempt without what was sent")
            return
        }
        #expect(end.status.code == .internalError)
        #expect(attempts.isOver)
    }

    @Test(
        "audit-W1: without everything that was sent there is no further attempt, however the last one ended")
    func notWhole() {
        for reach in [ClientCallEnd.Reach.notSentOnWire, .notSeenByServer, .maybeSeen, .answered] {
            var attempts = CallAttempts(maxRetries: 5)
            #expect(attempts.start(isReplayable: true) == .start(previousAttempts: 0))
            var replay = ReplayBuffer()
            for _ in 0..<17 { send(16 << 10, &replay) }
            let action = attempts.end(Self.end(.unavailable, reach), replay, timeLeft: nil)
            guard case .finish(let end) = action else {
                Issue.record("\(reach): the call goes on")
                continue
            }
            #expect(end.status.code == .unavailable)
            #expect(end.status.message.contains("262144 bytes kept") == (reach != .answered))
        }
    }

    @Test("audit-W1: once the response has begun there is no further attempt")
    func responseBegun() {
        for reach in [ClientCallEnd.Reach.notSentOnWire, .notSeenByServer, .maybeSeen, .answered] {
            var attempts = CallAttempts(maxRetries: 5)
            _ = attempts.start(isReplayable: true)
            var replay = ReplayBuffer()
            send(7, &replay)
            replay.drop()
            #expect(
                attempts.end(Self.end(.unavailable, reach), replay, timeLeft: nil)
                    == .finish(Self.end(.unavailable, reach)))
        }
    }

    @Test("audit-W1: only UNAVAILABLE is retried, however far the call got", arguments: 1...16)
    func otherCodes(_ code: Int) {
        for reach in [ClientCallEnd.Reach.notSentOnWire, .notSeenByServer, .maybeSeen] {
            var attempts = CallAttempts(maxRetries: 5)
            _ = attempts.start(isReplayable: true)
            let action = attempts.end(Self.end(.init(rawValue: code), reach), ReplayBuffer(), timeLeft: nil)
            if case .retry = action { #expect(code == 14) } else { #expect(code != 14) }
        }
    }

    @Test("A closed client makes no further attempt")
    func closed() {
        var attempts = Self.attempts(in: .running)
        let refused = Self.end(.unavailable, .notSeenByServer)
        #expect(
            attempts.end(refused, ReplayBuffer(), timeLeft: nil, mayRetry: false)
                == .finish(ClientCallEnd(status: .clientClosed)))
    }

    private func send(_ count: Int, _ replay: inout ReplayBuffer) {
        _ = withFrame(room: count) { frame in
            replay.fill(&frame) { frame in
                var bytes = ByteBuffer(repeating: 1, count: count)
                frame.append(moving: &bytes)
                return .open
            }
        }
    }
}
