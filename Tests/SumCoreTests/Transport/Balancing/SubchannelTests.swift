import NIOCore
import Testing

@testable import SumCore

@Suite struct SubchannelTests {
    private let refused = ConnectFailure(description: "refused", isTemporary: true)

    private func subchannel() throws -> Subchannel { Subchannel(id: 1, address: try .host(1)) }

    private enum Step: CaseIterable {
        case connect, connected, failed, lostSoon, lostLater, release
    }

    private func take(_ step: Step, _ subchannel: inout Subchannel) {
        switch step {
        case .connect: _ = subchannel.connect(at: .at(0))
        case .connected: subchannel.connected(at: .at(0))
        case .failed: subchannel.failed(refused, at: .at(0))
        case .lostSoon: subchannel.lost(refused, at: .at(999))
        case .lostLater: subchannel.lost(refused, at: .at(1000))
        case .release: subchannel.release()
        }
    }

    private func name(_ subchannel: Subchannel) -> ConnectivityState {
        switch subchannel.state {
        case .idle: .idle
        case .connecting: .connecting
        case .ready: .ready
        case .transientFailure: .transientFailure
        }
    }

    @Test("Each step leads from each state where it may lead, and nowhere else")
    func table() throws {
        let paths: [(path: [Step], next: [Step: ConnectivityState])] = [
            ([], [.connect: .connecting]),
            ([.connect], [.connected: .ready, .failed: .transientFailure, .release: .idle]),
            ([.connect, .connected], [.lostSoon: .transientFailure, .lostLater: .idle, .release: .idle]),
            ([.connect, .failed], [.release: .idle]),
        ]
        for (path, next) in paths {
            for step in Step.allCases {
                var subchannel = try subchannel()
                for earlier in path { take(earlier, &subchannel) }
                let before = name(subchannel)
                take(step, &subchannel)
                #expect(name(subchannel) == next[step] ?? before, "\(path), \(step)")
            }
        }
    }

    @Test("After a failure that another attempt is unlikely to change, the pause is a second at least")
    func permanentFailure() throws {
        var subchannel = try subchannel()
        _ = subchannel.connect(at: .at(0))
        subchannel.failed(ConnectFailure(description: "a wrong certificate", isTemporary: false), at: .at(0))
        #expect(subchannel.retryTime == .at(1000))
    }

    @Test(
        "grpc-K8: the pauses after failures grow from 20 ms by 1.6 to two minutes, give or take a fifth, and then stay"
    )
    func pauses() throws {
        var subchannel = try subchannel()
        var (now, expected) = (NIODeadline.at(0), 20.0)
        for _ in 0..<30 {
            #expect(subchannel.connect(at: now) == true)
            subchannel.failed(refused, at: now)
            let until = try #require(subchannel.retryTime)
            let pause = Double((until - now).nanoseconds) / 1e6
            #expect((expected * 0.799...expected * 1.201).contains(pause))
            #expect(subchannel.connect(at: until - .nanoseconds(1)) == false)
            now = until
            expected = min(expected * 1.6, 120_000)
        }
    }

    @Test("A connection that lasts begins the pauses anew; one that is lost at once does not")
    func reset() throws {
        for (life, isShort) in [(Int64(0), true), (1000, false)] {
            var subchannel = try subchannel()
            var now = NIODeadline.at(0)
            for _ in 0..<8 {
                #expect(subchannel.connect(at: now) == true)
                subchannel.failed(refused, at: now)
                now = try #require(subchannel.retryTime)
            }
            #expect(subchannel.connect(at: now) == true)
            subchannel.connected(at: now)
            #expect(subchannel.failure == nil)
            now = now + .milliseconds(life)
            subchannel.lost(refused, at: now)
            #expect((subchannel.retryTime != nil) == isShort)
            guard !isShort else { continue }
            #expect(subchannel.connect(at: now) == true)
            subchannel.failed(refused, at: now)
            #expect(try #require(subchannel.retryTime) <= now + .milliseconds(24))
        }
    }

    @Test("grpc-K9: a pause is cut short to an interval after the last attempt, and never lengthened")
    func cut() throws {
        var subchannel = try subchannel()
        for _ in 0..<12 {
            _ = subchannel.connect(at: subchannel.retryTime ?? .at(0))
            subchannel.failed(refused, at: subchannel.lastAttempt)
        }
        let last = subchannel.lastAttempt
        let long = try #require(subchannel.retryTime)
        #expect(long > last + .seconds(2))
        subchannel.cutPause(after: .seconds(1), at: last)
        #expect(subchannel.retryTime == last + .seconds(1))
        subchannel.cutPause(after: .seconds(5), at: last)
        #expect(subchannel.retryTime == last + .seconds(1))
    }
}
