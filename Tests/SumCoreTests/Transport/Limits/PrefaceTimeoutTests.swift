import NIOCore
import Testing

@testable import SumCore

@Suite struct PrefaceTimeoutTests {
    @Test("grpc-K18, abuse-R10, abuse-R15: the preface, then the acknowledgement, each within the limit")
    func handshake() {
        var handshake = PrefaceTimeout(limit: .seconds(10), now: at(0))
        #expect(handshake.verdict(at: at(9)) == .wait(until: at(10)))
        #expect(handshake.verdict(at: at(10)) == .isSilent)
        handshake.receivedSettings(at: at(4))
        #expect(handshake.verdict(at: at(10)) == .wait(until: at(14)))
        handshake.receivedSettings(at: at(13))
        #expect(handshake.verdict(at: at(14)) == .ignoresSettings)
        handshake.receivedAcknowledgement()
        #expect(handshake.verdict(at: at(14)) == .isDone)
        handshake.receivedSettings(at: at(15))
        #expect(handshake.verdict(at: at(100)) == .isDone)
    }
}
