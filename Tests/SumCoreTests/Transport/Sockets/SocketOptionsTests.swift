import NIOCore
import Testing

@testable import SumCore

@Suite struct SocketOptionsTests {
    @Test("audit-C3: TCP_USER_TIMEOUT stays within an int of milliseconds")
    func userTimeout() {
        #expect(TimeAmount.hours(597).asUserTimeout == 2_147_483_647)
        #expect(TimeAmount.seconds(30).asUserTimeout == 30_000)
        #expect(TimeAmount.nanoseconds(1).asUserTimeout == 1)
    }
}
