import Foundation
import ScriptedPeers
import Testing

/// Many, slow, or greedy clients against a server process.
@Suite(.timeLimit(.minutes(60))) struct ExhaustionTests {
    @Test("abuse-R11: silent streams end with their connection, even if the client acknowledges PINGs")
    func silentStreams() async throws {
        let options = [
            "--max-connection-age", "200ms", "--max-connection-age-grace", "200ms", "--keepalive-time", "1s",
        ]
        try await ServerProcess.attacked(options) { server in
            let client = try server.connect()
            for number in 0..<128 { try client.send(.headers(.request, on: UInt32(2 * number + 1))) }
            while let frame = try client.receive() {
                if frame.kind == .ping, !frame.isAck { try? client.send(.ping(frame.payload, ack: true)) }
            }
        }
    }

    @Test("abuse-R15: connections that send nothing, or only the preface")
    func idleConnections() async throws {
        let count = Scale.count(200, full: 10_000)
        let options = [
            "--handshake-timeout", Scale.isFull ? "10s" : "3s", "--max-connection-idle",
            Scale.isFull ? "60s" : "5s",
        ]
        let perConnection = try await ServerProcess.attacked(options) { server in
            let before = try server.footprint()
            let polite = try (0..<count).map { _ in
                let client = try server.connect()
                _ = try client.receive(.settings, ack: true)
                return client
            }
            let memory = (try server.footprint().memory - before.memory) / count
            try server.callForSum()
            let silent = try (0..<count / 10).map { _ in try WireSocket(connectingTo: server.address) }
            try server.callForSum()
            for client in silent { try #require(try client.receiveAll().isEmpty) }
            for client in polite {
                let farewell = try #require(try client.receive(.goAway))
                try #require(farewell.errorCode == 0)
            }
            return memory
        }
        #expect(perConnection <= 32 << 10)
    }

    @Test("abuse-R18: a long stream, and a thousand streams at once")
    func volume() async throws {
        let numbers = [UInt8].frames(of: Array(repeating: [UInt8].number(1), count: 2340).flatMap { $0 })
        let count = Scale.count(500, full: 65_536)
        let growth = try await ServerProcess.attacked { server in
            let client = try server.connect()
            try client.send(.headers(.request, on: 1))
            for _ in 0..<count / 2 { try client.send(bytes: numbers) }
            let half = try server.footprint().memory
            for _ in 0..<count / 2 { try client.send(bytes: numbers) }
            let growth = try server.footprint().memory - half
            try client.send(.data([], on: 1, endStream: true))
            let outcome = RequestCase.Outcome(try client.receiveAnswer())
            try #require(outcome == .sum(Int32(2340 * (count / 2 * 2))))
            // Ten connections with a hundred streams each.
            let clients = try (0..<10).map { _ in try server.connect() }
            let streams = (0..<100).map { UInt32(2 * $0 + 1) }
            for stream in streams {
                for client in clients {
                    try client.send(.headers(.request, on: stream), .data(.number(5), on: stream))
                }
            }
            for client in clients {
                for stream in streams { try client.send(.data(.number(2), on: stream, endStream: true)) }
                var sums = 0
                while sums < streams.count, let frame = try client.receive(.data) {
                    try #require(frame.payload == .number(7))
                    sums += 1
                }
                try #require(sums == streams.count)
            }
            return growth
        }
        #expect(growth < 4 << 20)
    }

    @Test("abuse-R19: clients get their sums beside one that sends as fast as it can")
    func greedyClient() async throws {
        let numbers = [UInt8].frames(of: Array(repeating: [UInt8].number(0), count: 2340).flatMap { $0 })
        let calls = try await ServerProcess.attacked { server in
            let greedy = try server.connect()
            try greedy.send(.headers(.request, on: 1))
            let isOver = DispatchSemaphore(value: 0)
            let group = DispatchGroup()
            nonisolated(unsafe) let socket = greedy
            DispatchQueue.global().async(group: group) {
                while isOver.wait(timeout: .now()) == .timedOut { try? socket.send(bytes: numbers) }
            }
            let modest = try (0..<Scale.count(20, full: 100)).map { _ in try server.connect() }
            var times: [Duration] = []
            for round in 0..<Scale.count(5, full: 100) {
                for client in modest {
                    times.append(
                        try ContinuousClock().measure { try client.callForSum(on: UInt32(2 * round + 1)) })
                }
            }
            isOver.signal()
            group.wait()
            return times.sorted()
        }
        // Linux gives each of two busy processes a few milliseconds at a time.
        if Scale.isFull { #expect(calls[calls.count * 99 / 100] < .milliseconds(50)) }
    }
}
