import ScriptedPeers
import Testing

/// The options of sum-server for its limits, tested by a client that writes exact frames.
@Suite(.timeLimit(.minutes(10))) struct LimitTests {
    /// The result of a client of a server with these options. The client runs on a thread of its own, because it
    /// blocks.
    private func ask<Answer: Sendable>(
        _ options: [String], saysHello: Bool = true,
        _ script: @escaping @Sendable (WireSocket) throws -> Answer
    ) async throws -> (answer: Answer, log: String) {
        let server = try await ServerProcess(
            "sum-server", ["--listen", "127.0.0.1:0", "--log-level", "debug"] + options)
        let address = server.address
        let result = await Tool.offload {
            Result {
                let socket = try WireSocket(connectingTo: address)
                if saysHello {
                    try socket.send(bytes: WireFrame.preface)
                    try socket.send(.settings(), .settingsAck)
                }
                return try script(socket)
            }
        }
        let (status, log) = await server.stop()
        #expect(status == 0)
        return (try result.get(), log)
    }

    @Test("grpc-S18, grpc-S23: header lists and concurrent streams")
    func settings() async throws {
        let options = ["--max-header-list-size", "1000", "--max-concurrent-streams", "7"]
        let frames = try await ask(options) { client in
            try client.send(.headers(.request + [WireField("x", String(repeating: "v", count: 1000))], on: 1))
            return [try client.receive(.settings), try client.receive(.headers)]
        }.answer
        #expect(frames[0]?.setting(6) == 1000)
        #expect(frames[0]?.setting(3) == 7)
        #expect(frames[1]?["grpc-status"] == "8")
    }

    @Test("grpc-K3: the idle limit")
    func idle() async throws {
        let frames = try await ask(["--max-connection-idle", "100ms"]) { client in
            let first = try client.receive(.goAway)
            if let ping = try client.receive(.ping) { try client.send(.ping(ping.payload, ack: true)) }
            return [first] + (try client.receiveAll())
        }.answer
        #expect(frames.count == 2)
        #expect(frames.first??.lastStreamID == 0x7fff_ffff)
        #expect(frames.last??.debugText == "max_idle")
    }

    @Test("grpc-K3: the age limit and its grace")
    func age() async throws {
        let options = ["--max-connection-age", "100ms", "--max-connection-age-grace", "100ms"]
        let frames = try await ask(options) { client in
            try client.send(.headers(.request, on: 1))
            return try client.receiveAll()
        }.answer
        #expect(frames.contains { $0.kind == .goAway && $0.lastStreamID == 0x7fff_ffff })
        #expect(!frames.contains { $0.kind == .headers })
    }

    @Test("grpc-K4: silence")
    func keepalive() async throws {
        let options = ["--keepalive-time", "1s", "--keepalive-timeout", "100ms"]
        let (frames, log) = try await ask(options) { try $0.receiveAll() }
        #expect(frames.last?.kind == .ping)
        #expect(log.contains("has not answered a PING"))
    }

    @Test("grpc-K5: PINGs")
    func pings() async throws {
        let frames = try await ask([]) { client in
            try client.send(.ping(), .ping(), .ping(), .ping())
            return try client.receiveAll()
        }.answer
        #expect(frames.last?.debugText == "too_many_pings")
        let answers = try await ask(["--permit-pings-without-calls", "--min-ping-interval", "0s"]) { client in
            for _ in 0..<10 { try client.send(.ping()) }
            return try (0..<10).compactMap { _ in try client.receive(.ping, ack: true) }
        }.answer
        #expect(answers.count == 10)
    }

    @Test("grpc-K17: frames without data, and resets")
    func floods() async throws {
        let pings = try await ask([
            "--max-overhead-frames", "10", "--permit-pings-without-calls", "--min-ping-interval", "0s",
        ]) { client in
            for _ in 0..<20 { try client.send(.ping()) }
            return try client.receiveAll()
        }
        #expect(pings.answer.last?.debugText == "too_many_frames_without_data")
        let resets = try await ask(["--max-resets", "5", "--max-concurrent-streams", "5"]) { client in
            for call in UInt32(0)..<10 {
                try client.send(.headers(.request, on: 2 * call + 1), .rstStream(8, on: 2 * call + 1))
            }
            return try client.receiveAll()
        }
        #expect(resets.answer.last?.debugText == "too_many_resets")
        #expect(resets.log.matches(of: /connection failed/).count == 1)
    }

    @Test("abuse-R13: responses that are not read")
    func stalled() async throws {
        let frames = try await ask(["--write-timeout", "1s"]) { client in
            try client.send(.settings([4: 0]), .headers(.request, on: 1), .data([], on: 1, endStream: true))
            return [try client.receive(.rstStream)]
        }.answer
        #expect(frames.first??.errorCode == 8)
    }

    @Test("grpc-K18: a client that does not acknowledge SETTINGS")
    func acknowledgement() async throws {
        let frames = try await ask(["--handshake-timeout", "3s"], saysHello: false) { client in
            try client.send(bytes: WireFrame.preface)
            try client.send(.settings())
            return try client.receiveAll()
        }.answer
        #expect(frames.last?.errorCode == 4)
    }

    @Test("grpc-K18: a client that does not begin HTTP/2")
    func handshake() async throws {
        let frames = try await ask(["--handshake-timeout", "100ms"], saysHello: false) { try $0.receiveAll() }
        #expect(frames.answer.isEmpty)
    }

    @Test("grpc-K19: an HTTP/1.1 client is told what the port is for")
    func http1() async throws {
        let (answer, log) = try await ask([], saysHello: false) { client in
            try client.send(bytes: Array("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
            return String(decoding: try client.receiveBytes(), as: UTF8.self)
        }
        #expect(answer.hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
        #expect(answer.hasSuffix("\r\n\r\nThis is a port for gRPC, which needs HTTP/2 without TLS.\n"))
        #expect(log.split(separator: "\n").filter { $0.contains("GET / HTTP/1.1") }.count == 1)
    }

    @Test(
        "Invalid times are refused",
        arguments: [
            ["--keepalive-time", "10ms"], ["--max-connection-age", "0s"], ["--max-connections", "0"],
        ])
    func nonsense(_ options: [String]) async throws {
        let result = try await Tool.run("sum-server", options)
        #expect(result.status == 64)
        #expect(result.errors.split(separator: "\n").count == 1)
    }
}
