import NIOCore
import Testing

@testable import SumCore

/// The values that decide about time, without a connection.
@Suite struct TimeLimitTests {
    private func at(_ seconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .seconds(seconds) }

    @Test("grpc-K4, grpc-K6: a PING after the time, the end after the timeout, unless something comes")
    func keepalive() {
        var keepalive = Keepalive(time: .seconds(10), timeout: .seconds(5), withoutCalls: false, now: at(0))
        #expect(keepalive.step(at: at(0), hasCalls: true) == .wait(until: at(10)))
        keepalive.received(at: at(4))
        #expect(keepalive.step(at: at(10), hasCalls: true) == .wait(until: at(14)))
        #expect(keepalive.step(at: at(14), hasCalls: true) == .ping(until: at(19)))
        #expect(keepalive.step(at: at(15), hasCalls: true) == .wait(until: at(19)))
        keepalive.received(at: at(18))
        #expect(keepalive.step(at: at(19), hasCalls: true) == .wait(until: at(28)))
        #expect(keepalive.step(at: at(28), hasCalls: true) == .ping(until: at(33)))
        #expect(keepalive.step(at: at(33), hasCalls: true) == .giveUp)
    }

    @Test("grpc-K6: without calls a client may be silent, if so it was wanted")
    func keepaliveWithoutCalls() {
        var quiet = Keepalive(time: .seconds(10), timeout: .seconds(5), withoutCalls: false, now: at(0))
        #expect(quiet.step(at: at(10), hasCalls: false) == .wait(until: at(20)))
        #expect(quiet.step(at: at(20), hasCalls: true) == .ping(until: at(25)))
        var eager = Keepalive(time: .seconds(10), timeout: .seconds(5), withoutCalls: true, now: at(0))
        #expect(eager.step(at: at(10), hasCalls: false) == .ping(until: at(15)))
    }

    @Test("grpc-K5: two PINGs too soon are forgiven, the third is not")
    func strikes() {
        var strikes = PingStrikes(minInterval: .seconds(300), permitsWithoutCalls: false)
        let isTooMany = [0, 1, 2, 3].map { strikes.ping(at: at($0), hasCalls: true, hasSent: false) }
        #expect(isTooMany == [false, false, false, true])
    }

    @Test(
        "grpc-K5: what comes too soon",
        arguments: [
            (299, true, false, true), (300, true, false, false),
            (300, false, false, true), (7199, false, false, true), (7200, false, false, false),
            (299, false, true, true), (300, false, true, false),
        ])
    func interval(_ seconds: Int64, _ hasCalls: Bool, _ permits: Bool, _ isTooSoon: Bool) {
        var strikes = PingStrikes(minInterval: .seconds(300), permitsWithoutCalls: permits)
        let answers = (0..<4).map {
            strikes.ping(at: at(Int64($0) * seconds), hasCalls: hasCalls, hasSent: false)
        }
        #expect(answers == [false, false, false, isTooSoon])
    }

    @Test("grpc-K5: strikes begin anew when HEADERS or DATA were sent")
    func forgiven() {
        var strikes = PingStrikes(minInterval: .seconds(300), permitsWithoutCalls: false)
        let hasSent = [true, false, false, true, false, false, false]
        let answers = hasSent.map { strikes.ping(at: at(0), hasCalls: true, hasSent: $0) }
        #expect(answers == [false, false, false, false, false, false, true])
    }

    @Test("grpc-K3: idleness counts from the end of the last call")
    func idle() throws {
        var lifetime = try #require(ConnectionLifetime(idle: .seconds(10), age: nil, grace: nil, now: at(0)))
        #expect(lifetime.verdict(at: at(0)) == .wait(until: at(10)))
        lifetime.beginCalls()
        #expect(lifetime.verdict(at: at(10)) == .wait(until: at(20)))
        lifetime.endCalls(at: at(15))
        #expect(lifetime.verdict(at: at(20)) == .wait(until: at(25)))
        #expect(lifetime.verdict(at: at(25)) == .drain(reason: "max_idle", until: nil))
        #expect(lifetime.verdict(at: at(26)) == .wait(until: nil))
    }

    @Test("grpc-K3: the age is spread by a tenth", arguments: [(-1.0, 90), (0, 100), (1, 110)])
    func age(_ spread: Double, _ end: Int64) throws {
        var lifetime = try #require(
            ConnectionLifetime(
                idle: nil, age: .seconds(100), grace: .seconds(7), now: at(0), ageSpread: spread))
        #expect(lifetime.verdict(at: at(0)) == .wait(until: at(end)))
        #expect(lifetime.verdict(at: at(end)) == .drain(reason: "max_age", until: at(end + 7)))
        #expect(lifetime.verdict(at: at(end + 6)) == .wait(until: at(end + 7)))
        #expect(lifetime.verdict(at: at(end + 7)) == .close)
    }

    @Test("grpc-K3: neither limit, no lifetime; the longest there is does no harm")
    func extremes() throws {
        #expect(ConnectionLifetime(idle: nil, age: nil, grace: .seconds(1), now: at(0)) == nil)
        let longest = TimeAmount(.seconds(Int64.max))
        var lifetime = try #require(
            ConnectionLifetime(idle: longest, age: longest, grace: longest, now: at(5), ageSpread: 1))
        #expect(lifetime.verdict(at: at(5)) != .close)
    }
}
