import InMemoryLogging
import Logging
import NIOCore
import Testing

@testable import SumCore

@Suite struct ThrottledLogTests {
    @Test(
        "Clients cannot fill the disk: lines are limited to a burst and a rate, and those left out are counted"
    )
    func limit() {
        let log = InMemoryLogHandler()
        let offences = ThrottledLog(logger: Logger(label: "test") { _ in log }, lines: 10, now: at(0))
        for _ in 0..<100 {
            offences.connectionFailed(CloseReason.resets.description, of: Peer(address: "here"), at: at(0))
        }
        #expect(log.entries.count == 10)
        offences.connectionFailed(CloseReason.pings.description, of: Peer(address: "there"), at: at(1))
        offences.connectionFailed(CloseReason.pings.description, of: Peer(address: "there"), at: at(1))
        #expect(log.entries.count == 11)
        offences.connectionFailed(CloseReason.pings.description, of: Peer(address: "there"), at: at(100))
        let counts = log.entries.map { $0.metadata["not-logged-before"].map { "\($0)" } }
        #expect(counts == Array(repeating: nil, count: 10) + ["90", "1"])
        #expect(log.entries.allSatisfy { $0.level == .info && $0.message == "connection failed" })
        #expect("\(log.entries.last?.metadata["peer"] ?? "")" == "there")
    }
}
