import Foundation
import ScriptedPeers
import SumCore
import Testing

/// What `--access-log` and `--log-format` write, to people, to programs and to systemd's journal.
@Suite(.timeLimit(.minutes(10))) struct AccessLogTests {
    private static let json = ["--listen", "127.0.0.1:0", "--log-format", "json", "--access-log"]

    /// The lines of a log in JSON.
    private static func objects(_ log: String) throws -> [[String: Any]] {
        try log.split(separator: "\n").map { line in
            try #require(
                try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
        }
    }

    private static func calls(_ log: String) throws -> [[String: Any]] {
        try objects(log).filter { $0["logger"] as? String == "access" }
    }

    // MARK: Ends of calls

    @Test("Each call has a line, however it ended, and whatever the log level is")
    func ends() async throws {
        let server = try await ServerProcess(
            "sum-server", Self.json + ["--log-level", "critical", "--max-message-size", "100"])
        let address = server.address
        try await Tool.offload {
            Result {
                let client = try WireSocket(connectingTo: address)
                try client.sayHello()
                try client.callForSum(on: 1)
                let rejected: [[WireField]] = [
                    .request.with(WireField(":path", "/no/Such")),
                    .request.with(WireField("content-type", "application/grpc+json")),
                    .request + [WireField("grpc-timeout", "1n")],
                ]
                for (index, fields) in rejected.enumerated() {
                    let stream = UInt32(2 * index + 3)
                    try client.send(.headers(fields, on: stream, endStream: true))
                    _ = try client.receiveAnswer(on: stream)
                }
                // A message that is too long, a sum that does not fit.
                try client.send(.headers(.request, on: 9), .data([0, 0, 0, 1, 0], on: 9))
                _ = try client.receiveAnswer(on: 9)
                // A stream ends when both sides have ended it.
                try client.send(.data([], on: 9, endStream: true))
                let longest: [UInt8] = [0, 0, 0, 0, 6, 8, 0xff, 0xff, 0xff, 0xff, 7]
                try client.send(.headers(.request, on: 11), .data(longest + longest, on: 11, endStream: true))
                _ = try client.receiveAnswer(on: 11)
                try client.send(
                    .headers(.request, on: 13), .data([0, 0, 0, 0, 2, 8, 5], on: 13), .rstStream(8, on: 13))
                try client.callForSum(on: 15)
                // Lost with its connection.
                try client.send(.headers(.request + [WireField("grpc-timeout", "5M")], on: 17))
                try client.callForSum(on: 19)
            }
        }.get()
        let calls = try Self.calls(await server.stop().log)
        let ends = calls.map { "\($0["code"] ?? "") \($0["level"] ?? "") \($0["numbers"] ?? "-")" }
        #expect(
            ends == [
                "OK info 3", "UNIMPLEMENTED error -", "UNIMPLEMENTED error 0", "DEADLINE_EXCEEDED warning 0",
                "RESOURCE_EXHAUSTED warning 0", "OUT_OF_RANGE warning 2", "CANCELLED info 1", "OK info 3",
                "OK info 3", "CANCELLED info 0",
            ])
        #expect(calls.allSatisfy { ($0["peer"] as? String)?.hasPrefix("127.0.0.1:") == true })
        #expect(calls.allSatisfy { ($0["ms"] as? Double) ?? -1 >= 0 })
        #expect(calls.allSatisfy { $0["ts"] as? String != nil && $0["tls"] == nil && $0["trace_id"] == nil })
        #expect(calls[0]["method"] as? String == "tutorial.NumberService/SumNumbers")
        #expect(calls[0]["bytes_in"] as? Int == 21)
        #expect(calls[0]["bytes_out"] as? Int == 7)
        #expect(calls[1]["method"] as? String == "/no/Such")
        #expect(calls[5]["message"] as? String != nil)
        #expect(calls[9]["deadline_ms"] as? Double == 300_000)
    }

    @Test("Callers are named, refused ones are not, and no token is written")
    func callers() async throws {
        let tokens = try CallerTests.file("secret-0123456789 adder\n")
        let server = try await ServerProcess(
            "sum-server", Self.json + ["--log-level", "trace", "--auth-token-file", tokens])
        for (token, status) in [("secret-0123456789", 0), ("another-0123456789", 80)] as [(String, Int32)] {
            let file = try CallerTests.file(token)
            let result = try await Tool.run(
                "sum-client",
                [
                    "--target", server.address, "--token-file", file, "--insecure-token", "--user-agent",
                    "tester/7",
                    "--metadata", "x-private: confidential", "1",
                ])
            #expect(result.status == status, "\(result.errors)")
        }
        let log = await server.stop().log
        let calls = try Self.calls(log)
        #expect(calls.map { $0["code"] as? String } == ["OK", "UNAUTHENTICATED"])
        #expect(calls.map { $0["principal"] as? String } == ["adder", nil])
        #expect(calls.allSatisfy { ($0["user_agent"] as? String)?.hasPrefix("tester/7 ") == true })
        for secret in ["secret-0123456789", "another-0123456789", "confidential", "Bearer"] {
            #expect(!log.contains(secret))
        }
    }

    // MARK: Programs

    @Test(
        "jq reads each line of a log to which peers have contributed the worst", arguments: ["json", "text"])
    func fuzzed(_ format: String) async throws {
        let server = try await ServerProcess(
            "sum-server",
            ["--listen", "127.0.0.1:0", "--log-format", format, "--access-log", "--log-level", "trace"])
        let address = server.address
        let calls = try await Tool.offload { Result { try Self.fuzz(address) } }.get()
        let log = await server.stop().log
        #expect(log.unicodeScalars.allSatisfy { $0 == "\n" || $0.isPrintable })
        let lines = log.split(separator: "\n")
        #expect(lines.count >= calls)
        // Names of 8 KiB are cut.
        #expect(lines.allSatisfy { $0.utf8.count < 16 << 10 })
        guard format == "json" else { return }
        let path = Tool.temporaryPath()
        try Data(log.utf8).write(to: URL(filePath: path))
        let read = try await Tool.run(
            "/usr/bin/jq",
            ["--raw-input", "--raw-output", "fromjson | .ts, .level, .logger, .msg | type", path])
        #expect(read.status == 0, "\(read.errors)")
        #expect(read.output.split(separator: "\n").allSatisfy { $0 == "string" })
        #expect(read.output.split(separator: "\n").count == 4 * lines.count)
    }

    /// Makes calls with texts that could break a log.
    ///
    /// - Returns: how many were answered.
    private static func fuzz(_ address: String) throws -> Int {
        var state: UInt64 = 7
        func random(below bound: Int) -> Int {
            // Knuth's MMIX: a test needs the same bytes every time.
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let pieces: [[UInt8]] =
            [
                "\"", "\\", "{\"a\":", "}", "\u{2028}", "\u{202e}", "é", "🧮", "code=OK ", " ", "=", "\u{85}",
                "x",
            ].map {
                Array($0.utf8)
            } + [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xf8, 0x88], [0x80], [0x7f], [9]]
        func text() -> [UInt8] {
            if random(below: 10) == 0 { return Array(repeating: UInt8(ascii: "n"), count: 8 << 10) }
            return [UInt8(ascii: "/")]
                + (0..<random(below: 40)).flatMap { _ in pieces[random(below: pieces.count)] }
        }
        var answered = 0
        for _ in 0..<30 {
            let client = try WireSocket(connectingTo: address)
            try client.sayHello()
            for call in UInt32(0)..<10 {
                let fields: [WireField] = [
                    WireField(":method", "POST"), WireField(":scheme", "http"),
                    random(below: 2) == 0
                        ? WireField(":path", bytes: text()) : WireField(":path", SumNumbers.path),
                    WireField(":authority", "localhost"), WireField("te", "trailers"),
                    random(below: 4) == 0
                        ? WireField("content-type", bytes: text())
                        : WireField("content-type", "application/grpc"),
                    WireField("user-agent", bytes: text()),
                    random(below: 4) == 0 ? WireField("grpc-timeout", bytes: text()) : WireField("x", "y"),
                ]
                try client.send(.headers(fields, on: 2 * call + 1, endStream: true))
                // What HTTP forbids is reset.
                let answer = try client.receiveAnswer(on: 2 * call + 1)
                if answer.status != nil { answered += 1 } else if answer.reset == nil { break }
            }
            // Words of the client that are logged.
            try? client.send(
                .goAway(lastStreamID: 0, code: 2, debug: String(decoding: text(), as: UTF8.self)))
        }
        return answered
    }

    @Test("Whatever ends a program that logs JSON is JSON, too")
    func lastLine() async throws {
        let result = try await Tool.run(
            "sum-server", ["--listen", "unix:/nonexistent/socket", "--log-format", "json"])
        #expect(result.status == 1)
        let lines = try Self.objects(result.errors)
        #expect(lines.count == 1)
        #expect(lines.first?["level"] as? String == "critical")
    }

    // MARK: Readers that stop

    @Test("audit-S4: an access log that nobody reads holds up no call, and what was lost is counted")
    func stuck() async throws {
        let server = try await ServerProcess("sum-server", Self.json)
        let address = server.address
        let client = { (count: UInt32) in
            try await Tool.offload {
                Result {
                    let client = try WireSocket(connectingTo: address)
                    try client.sayHello()
                    for call in 0..<count { try client.callForSum(on: 2 * call + 1) }
                }
            }.get()
        }
        // Nobody reads the pipe yet, which takes 64 KiB, and 256 KiB wait.
        try await client(3000)
        async let ended = server.ended()
        try await client(50)
        server.signal(SIGTERM)
        let objects = try Self.objects(await ended.log)
        let lost = objects.compactMap { $0["lines-lost-before"] as? Int }.reduce(0, +)
        #expect(lost > 0)
        // And one when the server stops.
        #expect(objects.count + lost == 3000 + 50 + 1)
    }

    // MARK: systemd

    @Test("Lines for the journal begin with their priority", arguments: ["json", "text"])
    func journal(_ format: String) async throws {
        let path = Tool.temporaryPath()
        let log = Tool.temporaryPath()
        // As systemd does it, which opens the stream before it starts the program.
        let script = """
            exec 2>\(log)
            JOURNAL_STREAM=$(stat --dereference --format=%d:%i /proc/self/fd/2) exec \
            \(Tool.directory.appending(path: "sum-server").path) --listen unix:\(path) --access-log --log-format \(format)
            """
        let process = Tool.process("/bin/sh", ["-c", script])
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        await output.read(until: "listening")
        let result = try await Tool.run("sum-client", ["--target", "unix:\(path)", "1"])
        #expect(result.output == "1\n")
        Tool.send(SIGTERM, to: process)
        await Tool.offload { process.waitUntilExit() }
        let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.allSatisfy { $0.hasPrefix(format == "json" ? "<6>{\"ts\":\"2" : "<6>2") })
    }

    @Test("A JOURNAL_STREAM that is not standard error says nothing about it")
    func otherStream() async throws {
        let server = try await ServerProcess(
            "/usr/bin/env",
            ["JOURNAL_STREAM=8:1", Tool.directory.appending(path: "sum-server").path] + Self.json)
        let log = await server.stop().log
        #expect(log.hasPrefix("{"))
    }
}
