import NIOCore
import Testing

@testable import SumCore

@Suite struct ConnectionLifetimeTests {
    @Test("grpc-K3: the idle time counts from the end of the last call")
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

    @Test(
        "grpc-K3: the age is spread by a tenth",
        arguments: [(-1, 90), (0, 100), (1, 110)] as [(Double, Double)])
    func age(_ spread: Double, _ end: Double) throws {
        var lifetime = try #require(
            ConnectionLifetime(
                idle: nil, age: .seconds(100), grace: .seconds(7), now: at(0), ageSpread: spread))
        #expect(lifetime.verdict(at: at(0)) == .wait(until: at(end)))
        #expect(lifetime.verdict(at: at(end)) == .drain(reason: "max_age", until: at(end + 7)))
        #expect(lifetime.verdict(at: at(end + 6)) == .wait(until: at(end + 7)))
        #expect(lifetime.verdict(at: at(end + 7)) == .close)
    }

    @Test("grpc-K3: without limits there is no lifetime; the longest limits do no harm")
    func extremes() throws {
        #expect(ConnectionLifetime(idle: nil, age: nil, grace: .seconds(1), now: at(0)) == nil)
        let longest = TimeAmount(.seconds(Int64.max))
        var lifetime = try #require(
            ConnectionLifetime(idle: longest, age: longest, grace: longest, now: at(5), ageSpread: 1))
        #expect(lifetime.verdict(at: at(5)) != .close)
    }
}
