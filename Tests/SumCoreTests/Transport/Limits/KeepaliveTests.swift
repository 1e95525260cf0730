import NIOCore
import Testing

@testable import SumCore

@Suite struct KeepaliveTests {
    @Test("grpc-K4, grpc-K6: a PING after the time, and the end after the timeout, unless bytes arrive")
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

    @Test("grpc-K6: without calls a silent client is not sent PINGs, if so configured")
    func keepaliveWithoutCalls() {
        var quiet = Keepalive(time: .seconds(10), timeout: .seconds(5), withoutCalls: false, now: at(0))
        #expect(quiet.step(at: at(10), hasCalls: false) == .wait(until: at(20)))
        #expect(quiet.step(at: at(20), hasCalls: true) == .ping(until: at(25)))
        var eager = Keepalive(time: .seconds(10), timeout: .seconds(5), withoutCalls: true, now: at(0))
        #expect(eager.step(at: at(10), hasCalls: false) == .ping(until: at(15)))
    }
}
