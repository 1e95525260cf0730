import InMemoryLogging
import Logging
import NIOCore
import ScriptedPeers
import Testing

@testable import SumCore

@Suite struct CallLogTests {
    private func line(_ path: String, _ status: GRPCStatus = .ok, received: Int) -> ServerCallRecord {
        ServerCallRecord(
            start: ServerCallStart(peer: Peer(address: "p"), path: path), status: status,
            duration: .microseconds(50), timeToStatus: .microseconds(50), messages: MessageCounts(),
            bytesReceived: 7, bytesSent: 7,
            connectionBytesReceived: received)
    }

    private func callLog() -> (CallLog, InMemoryLogHandler) {
        let log = InMemoryLogHandler()
        var logger = Logger(label: "test") { _ in log }
        logger.logLevel = .debug
        return (CallLog(logger: logger), log)
    }

    @Test("audit-S7: lines of calls that sent less than a quarter of their length are left out, and counted")
    func ratio() {
        var (calls, log) = callLog()
        calls.write(line("/a/B", received: 1000))
        #expect(log.entries.count == 1)
        for _ in 0..<100 { calls.write(line("/a/B", received: 0)) }
        #expect(log.entries.count == 1)
        calls.write(line("/a/B", received: 2000))
        #expect(log.entries.count == 2)
        #expect(log.entries.last?.metadata["not-logged-before"] == .stringConvertible(100))
        calls.write(line("/a/B", received: 0))
        calls.close(peer: Peer(address: "p"))
        calls.close(peer: Peer(address: "p"))
        #expect(log.entries.map(\.message) == ["call", "call", "connection closed"])
        #expect(log.entries.last?.metadata["not-logged-before"] == .stringConvertible(1))
    }

    @Test("audit-S7: paths and messages are cut; the code is a field of its own")
    func cut() {
        var (calls, log) = callLog()
        let path = "/" + String(repeating: "\u{85}", count: 5000)
        calls.write(
            line(
                path, GRPCStatus(code: .unimplemented, message: "no \(path) status=OK"), received: 10_000))
        let metadata = log.entries.first?.metadata ?? [:]
        let texts = ["method", "message"].map { "\(metadata[$0] ?? "")" }
        #expect(texts.map(\.utf8.count) == [259, 259])
        #expect(metadata["status"] == "UNIMPLEMENTED")
    }

    @Test("audit-S7: each call with data is logged")
    func honest() throws {
        let log = InMemoryLogHandler()
        let wire = try WireChannel.server(log: log)
        for call in UInt32(0)..<50 { try wire.expectSum(on: 2 * call + 1) }
        #expect(log.entries.map(\.message) == Array(repeating: "call", count: 50))
        #expect(log.entries.allSatisfy { $0.metadata["not-logged-before"] == nil })
    }
}
