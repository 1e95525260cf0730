import Foundation
import ScriptedPeers
import Testing

/// Deadlines that pass, that race with the response, and that are far in the future.
@Suite(.timeLimit(.minutes(10))) struct DeadlineTests {
    private static func call(_ timeout: String) -> [WireField] {
        .request + [WireField("grpc-timeout", timeout)]
    }

    @Test("abuse-D1: a deadline ends the call of a silent client, and then its stream")
    func passed() async throws {
        let frames = try await ServerProcess.attacked { server in
            let client = try server.connect()
            try client.send(.headers(Self.call("100m"), on: 1), .data(.number(5), on: 1))
            return [try client.receive(.headers), try client.receive(.rstStream)]
        }
        #expect(frames[0]?["grpc-status"] == "4")
        #expect(frames[0]?.endsStream == true)
        #expect(frames[1]?.errorCode == 0)
    }

    @Test("abuse-D2: the shortest and the longest timeouts, and malformed ones")
    func limits() async throws {
        let outcomes = try await ServerProcess.attacked { server in
            try ["0m", "1n", "99999999H", "100000000S", "-1S", "5x", "", "1.5S"].map { timeout in
                let client = try server.connect()
                try client.send(.headers(Self.call(timeout), on: 1, endStream: true))
                let answer = try client.receiveAnswer()
                try server.callForSum()
                return RequestCase.Outcome(answer)
            }
        }
        #expect(outcomes == [.status(4), .status(4), .sum(0)] + Array(repeating: .http("400"), count: 5))
    }

    @Test(
        "abuse-D4: a deadline that races with the end of the numbers gives either the sum or DEADLINE_EXCEEDED"
    )
    func race() async throws {
        let count = Scale.count(300, full: 10_000)
        let outcomes = try await ServerProcess.attacked { server in
            let client = try server.connect()
            return try (0..<count).map { call in
                let stream = UInt32(2 * call + 1)
                try client.send(.headers(Self.call("1000u"), on: stream), .data(.number(5), on: stream))
                // From long before the deadline to long after it.
                usleep(UInt32(call % 21 * 100))
                try client.send(.data([], on: stream, endStream: true))
                return RequestCase.Outcome(try client.receiveAnswer(on: stream))
            }
        }
        #expect(outcomes.count == count)
        #expect(outcomes.allSatisfy { $0 == .sum(5) || $0 == .status(4) })
    }

    @Test("abuse-D5: deadlines far in the future leave nothing behind when their calls end")
    func timers() async throws {
        let count = Scale.count(2000, full: 10_000)
        try await ServerProcess.attacked { server in
            let client = try server.connect()
            func calls(_ range: Range<Int>) throws {
                for call in range {
                    let stream = UInt32(2 * call + 1)
                    try client.send(.headers(Self.call("1H"), on: stream, endStream: true))
                    let outcome = RequestCase.Outcome(try client.receiveAnswer(on: stream))
                    try #require(outcome == .sum(0))
                }
            }
            try calls(0..<count / 10)
            let before = try server.footprint().memory
            try calls(count / 10..<count)
            let growth = try server.footprint().memory - before
            // A timer and its call would take some hundred bytes each.
            try #require(growth < 100 * count)
        }
    }
}
