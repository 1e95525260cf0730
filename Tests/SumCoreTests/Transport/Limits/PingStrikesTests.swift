import NIOCore
import Testing

@testable import SumCore

@Suite struct PingStrikesTests {
    @Test("grpc-K5: two PINGs too soon are allowed, a third is not")
    func strikes() {
        var strikes = PingStrikes(minInterval: .seconds(300), permitsWithoutCalls: false)
        let isTooMany = [0.0, 1, 2, 3].map { strikes.ping(at: at($0), hasCalls: true, hasSent: false) }
        #expect(isTooMany == [false, false, false, true])
    }

    @Test(
        "grpc-K5: which PINGs come too soon",
        arguments: [
            (299, true, false, true), (300, true, false, false),
            (300, false, false, true), (7199, false, false, true), (7200, false, false, false),
            (299, false, true, true), (300, false, true, false),
        ])
    func interval(_ seconds: Double, _ hasCalls: Bool, _ permits: Bool, _ isTooSoon: Bool) {
        var strikes = PingStrikes(minInterval: .seconds(300), permitsWithoutCalls: permits)
        let answers = (0..<4).map {
            strikes.ping(at: at(Double($0) * seconds), hasCalls: hasCalls, hasSent: false)
        }
        #expect(answers == [false, false, false, isTooSoon])
    }

    @Test("grpc-K5: strikes are reset when HEADERS or DATA are sent")
    func forgiven() {
        var strikes = PingStrikes(minInterval: .seconds(300), permitsWithoutCalls: false)
        let hasSent = [true, false, false, true, false, false, false]
        let answers = hasSent.map { strikes.ping(at: at(0), hasCalls: true, hasSent: $0) }
        #expect(answers == [false, false, false, false, false, false, true])
    }
}
