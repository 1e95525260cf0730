import Foundation
import NIOCore
import ScriptedPeers
import Testing

@testable import SumCore

/// What sum-client reports about broken servers.
@Suite(.timeLimit(.minutes(10))) struct ClientFaultTests {
    typealias Script = @Sendable (WireSocket) throws -> Void

    /// Lets sum-client call a server that sends its SETTINGS and then follows a script.
    ///
    /// - Parameter leavesInputOpen: whether the client is still waiting for numbers.
    private func outcome(
        _ arguments: [String] = ["1", "2", "3"], leavesInputOpen: Bool = false,
        hello: WireFrame? = .settings(),
        _ script: @escaping Script
    ) async throws -> Tool.Result {
        let server = try ScriptedServer { peer in
            if let hello { try peer.send(hello, .settingsAck) }
            try script(peer)
            _ = try peer.receiveAll()
        }
        let input = Pipe()
        if !leavesInputOpen { try input.fileHandleForWriting.close() }
        // A client that uses too much memory fails.
        let limit = Scale.isSanitized ? "unlimited" : "\(512 << 20)"
        let client = Tool.directory.appending(path: "sum-client").path
        let result = try await Tool.run(
            "/usr/bin/prlimit", ["--data=\(limit)", client, "--target", server.address] + arguments,
            input: .handle(input.fileHandleForReading))
        if leavesInputOpen { try input.fileHandleForWriting.close() }
        try await server.end()
        #expect(
            result.errors.split(separator: "\n").count == (result.status == 0 ? 0 : 1), "\(result.errors)")
        #expect((result.status == 0) != result.output.isEmpty)
        return result
    }

    private static func receiveRequest(_ peer: WireSocket) throws {
        while let frame = try peer.receive(), !frame.endsStream {}
    }

    private static let six = [UInt8].number(6)

    /// A correct response.
    private static let answer: [WireFrame] = [
        .headers(.response, on: 1), .data(six, on: 1), .headers(.trailers(0), on: 1, endStream: true),
    ]

    private static func bytes(_ frames: [WireFrame]) -> [UInt8] { frames.flatMap(\.bytes) }

    // MARK: A status before the end of the numbers

    @Test(
        "abuse-K1: a status while numbers are being sent ends the client at once", arguments: [false, true])
    func earlyStatus(_ isReset: Bool) async throws {
        // Without window the numbers cannot leave.
        let numbers = Array(repeating: "1", count: 100_000) + ["-"]
        let result = try await outcome(numbers, leavesInputOpen: true, hello: .settings([4: 0])) { peer in
            _ = try peer.receive(.headers)
            try peer.send(.headers(.response + .trailers(3, "no"), on: 1, endStream: true))
            if isReset { try peer.send(.rstStream(0, on: 1)) }
        }
        #expect(result.errors == "sum-client: INVALID_ARGUMENT: no\n")
        #expect(result.status == 67)
    }

    @Test("abuse-K2: a sum that arrives before all numbers were sent does not count")
    func earlySum() async throws {
        let result = try await outcome(["1", "-"], leavesInputOpen: true) { peer in
            _ = try peer.receive(.data)
            try peer.send(bytes: Self.bytes(Self.answer))
        }
        #expect(
            result.errors == "sum-client: INTERNAL: the server responded before the whole request was sent\n")
        #expect(result.status == 77)
    }

    // MARK: Resets and GOAWAY

    @Test("abuse-K3: a reset after the headers, half of the response, or all of it", arguments: [1, 2, 3])
    func reset(_ sent: Int) async throws {
        let half = [Self.answer[0], .data([0, 0, 0], on: 1), .data([0, 2, 8, 6], on: 1)]
        let result = try await outcome { peer in
            try Self.receiveRequest(peer)
            try peer.send(bytes: Self.bytes(Array(half.prefix(sent))))
            try peer.send(.rstStream(11, on: 1))
        }
        #expect(
            result.errors
                == "sum-client: RESOURCE_EXHAUSTED: the server reset the stream: ENHANCE_YOUR_CALM\n")
        #expect(result.status == 72)
    }

    @Test("abuse-K4: a stream that is refused once is retried")
    func refused() async throws {
        let result = try await outcome { peer in
            _ = try peer.receive(.headers)
            try peer.send(.rstStream(7, on: 1))
            while let frame = try peer.receive(), !(frame.streamID == 3 && frame.endsStream) {}
            try peer.send(
                .headers(.response, on: 3), .data(Self.six, on: 3),
                .headers(.trailers(0), on: 3, endStream: true))
        }
        #expect(result.output == "6\n")
    }

    @Test(
        "abuse-K5: GOAWAY followed by the end of the connection, with and without the response",
        arguments: [false, true])
    func goAway(_ isAnswered: Bool) async throws {
        let server = try ScriptedServer { peer in
            try peer.send(.settings(), .settingsAck)
            try Self.receiveRequest(peer)
            try peer.send(.goAway(lastStreamID: 1, code: 11, debug: "too_many_pings"))
            if isAnswered { try peer.send(bytes: Self.bytes(Self.answer)) }
        }
        let result = try await Tool.run("sum-client", ["--target", server.address, "6"])
        #expect(result.output == (isAnswered ? "6\n" : ""))
        #expect(result.errors.contains("UNAVAILABLE: ") == !isAnswered)
        #expect(result.errors.contains("too_many_pings") == !isAnswered)
        #expect(result.status == (isAnswered ? 0 : 78))
        try await server.end()
    }

    // MARK: Responses that are not gRPC, or break its rules

    @Test(
        "abuse-K6: a response that is not gRPC",
        arguments: [
            ("502", 78), ("401", 80), ("403", 71), ("404", 76), ("429", 78), ("503", 78), ("200", 66),
        ] as [(String, Int32)])
    func foreign(_ httpStatus: String, _ exit: Int32) async throws {
        let result = try await outcome { peer in
            _ = try peer.receive(.headers)
            let head = [WireField(":status", httpStatus), WireField("content-type", "text/html")]
            let body = Array("<h1>\u{1b}\(String(repeating: "x", count: 1000))</h1>".utf8)
            try peer.send(.headers(head, on: 1), .data(body, on: 1, endStream: true))
        }
        #expect(
            result.errors.contains("HTTP status \(httpStatus), content-type 'text/html': \"<h1>\\u{1B}xxx"))
        #expect(result.errors.utf8.count < 512)
        #expect(result.status == exit)
    }

    @Test("abuse-K7, abuse-K8, abuse-K9: responses without a status, or without exactly one message")
    func rules() async throws {
        let (head, sum) = (Self.answer[0], Self.answer[1])
        func trailers(_ status: String?) -> WireFrame {
            .headers(
                [WireField("x", "y")] + (status.map { [WireField("grpc-status", $0)] } ?? []), on: 1,
                endStream: true)
        }
        let answers: [([WireFrame], Int32)] = [
            ([head, .data(Self.six, on: 1, endStream: true)], 77),
            ([head, Self.answer[2]], 76),
            ([head, sum, sum, Self.answer[2]], 76),
            ([.headers(.response + .trailers(0), on: 1), sum, trailers("9")], 73),
            ([head, sum, trailers("abc")], 66), ([head, sum, trailers("-1")], 66),
            ([head, sum, trailers("17")], 66),
            ([head, sum, trailers("99999999999")], 66), ([head, sum, trailers(nil)], 66),
        ]
        for (frames, exit) in answers {
            let result = try await outcome { peer in
                try Self.receiveRequest(peer)
                try peer.send(bytes: Self.bytes(frames))
            }
            #expect(result.status == exit, "\(result.errors)")
        }
    }

    @Test("abuse-K15: 1xx responses before the final one are skipped")
    func informational() async throws {
        let result = try await outcome { peer in
            try Self.receiveRequest(peer)
            for status in ["100", "103"] { try peer.send(.headers([WireField(":status", status)], on: 1)) }
            try peer.send(bytes: Self.bytes(Self.answer))
        }
        #expect(result.output == "6\n")
    }

    @Test("abuse-K18: a status message cannot move the cursor of a terminal")
    func escapes() async throws {
        let result = try await outcome { peer in
            _ = try peer.receive(.headers)
            try peer.send(
                .headers(.response + .trailers(9, "%1B[2J\u{9b}%0A%E2%80%AE"), on: 1, endStream: true))
        }
        #expect(result.errors.unicodeScalars.allSatisfy { $0 == "\n" || (0x20...0x7e).contains($0.value) })
        #expect(result.errors.hasPrefix("sum-client: FAILED_PRECONDITION: \\u{1B}[2J"))
    }

    // MARK: No server at all

    @Test(
        "abuse-K10: servers that do not speak HTTP/2",
        arguments: [
            "HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n",
            "\u{15}\u{3}\u{3}\u{0}\u{2}\u{2}\u{46}", "",
            String(repeating: "\u{0}\u{7f}", count: 50_000),
        ])
    func notAServer(_ greeting: String) async throws {
        let server = try ScriptedServer { peer in
            _ = try peer.receiveBytes()
            try peer.send(bytes: Array(greeting.utf8))
        }
        let result = try await Tool.run(
            "sum-client", ["--target", server.address, "--connect-timeout", "500ms", "1"])
        #expect(result.output.isEmpty)
        #expect(result.errors.hasPrefix("sum-client: UNAVAILABLE: cannot connect to \(server.address): "))
        #expect(result.errors.split(separator: "\n").count == 1)
        #expect(result.status == 78)
        // How much was written is not tested.
        try? await server.end()
    }

    @Test("abuse-K11: a server that sends nothing, or only its SETTINGS")
    func silence() async throws {
        let silent = try await outcome(["--connect-timeout", "3s", "1"], hello: nil) { _ in }
        #expect(silent.errors.contains("the server took the connection but said nothing"))
        #expect(silent.status == 78)
        let polite = try await outcome(["--timeout", "3s", "1"]) { _ in }
        #expect(
            polite.errors
                == "sum-client: DEADLINE_EXCEEDED: the deadline has passed while waiting for the server's response\n"
        )
        #expect(polite.status == 68)
    }

    @Test(
        "abuse-K13: an address that does not respond is abandoned at the time limit, and the next one is tried"
    )
    func deadNetwork() async throws {
        let dead = try SilentAddress()
        let alone = try await Tool.run(
            "sum-client", ["--target", dead.address, "--connect-timeout", "300ms", "1"])
        #expect(alone.errors == "sum-client: UNAVAILABLE: cannot connect to \(dead.address): no response\n")
        #expect(alone.status == 78)
        let server = try await ServerProcess()
        let both = try await Tool.run(
            "sum-client",
            [
                "--target", "ipv4:\(dead.address),\(server.address)", "--connect-timeout", "20s", "--timeout",
                "600s", "5",
            ])
        #expect(both.output == "5\n")
    }

    // MARK: SETTINGS

    @Test("abuse-K12: with a limit of no streams the client waits until its deadline")
    func noStreams() async throws {
        let result = try await outcome(["--timeout", "500ms", "1"], hello: .settings([3: 0])) { _ in }
        #expect(result.status == 68)
    }

    @Test(
        "abuse-K12: one stream at a time, a window that opens late, large frames, no header table",
        arguments: [[3: 1], [4: 0], [5: 0xff_ffff], [1: 0]] as [[UInt16: UInt32]])
    func settings(_ settings: [UInt16: UInt32]) async throws {
        let frame = WireFrame.settings().adding(settings)
        let result = try await outcome(hello: frame) { peer in
            _ = try peer.receive(.headers)
            if settings[4] == 0 { try peer.send(.settings([4: 1000])) }
            try Self.receiveRequest(peer)
            try peer.send(bytes: Self.bytes(Self.answer))
        }
        #expect(result.output == "6\n")
    }

    // MARK: Floods

    enum Flood: CaseIterable {
        case fields, push, pings, settings, promise, bomb

        /// What a server sends on stream 1 before its response.
        var bytes: [UInt8] {
            switch self {
            case .fields:
                // A field of the static table, one byte each.
                WireFrame(.headers, flags: .endHeaders, on: 1, payload: Array(repeating: 0x88, count: 16_000))
                    .bytes
            case .push: WireFrame.pushPromise(.request, promised: 2, on: 1).bytes
            case .pings: Array(repeatElement(WireFrame.ping().bytes, count: 20_000).joined())
            case .settings: Array(repeatElement(WireFrame.settings([4: 1]).bytes, count: 20_000).joined())
            case .promise:
                ClientFaultTests.bytes([ClientFaultTests.answer[0], .data([0, 255, 255, 255, 255], on: 1)])
            case .bomb:
                // 64 MiB of zeros in 64 KiB.
                ClientFaultTests.bytes([
                    .headers(.response + [WireField("grpc-encoding", "gzip")], on: 1)
                ]) + [UInt8].frames(of: ClientFaultTests.packedZeros)
            }
        }
    }

    /// A compressed message that is far over the limit when it is decompressed.
    private static let packedZeros: [UInt8] = {
        var writer = MessageWriter(compression: .gzip)
        var message = ByteBuffer()
        try? writer.write(Array(repeating: 0, count: 64 << 20), to: &message)
        return [UInt8](message.readableBytesView)
    }()

    @Test("abuse-K14: a server that floods, pushes, or announces a huge message", arguments: Flood.allCases)
    func flood(_ flood: Flood) async throws {
        let result = try await outcome { peer in
            try Self.receiveRequest(peer)
            // The client may disconnect during the flood.
            try? peer.send(bytes: flood.bytes)
            try? peer.send(.rstStream(8, on: 1))
        }
        #expect((64...80).contains(result.status), "\(result)")
    }

    @Test("grpc-A15: a compressed response is accepted")
    func compressed() async throws {
        let gzip: [UInt8] = [31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 227, 96, 3, 0, 194, 61, 99, 96, 2, 0, 0, 0]
        let result = try await outcome { peer in
            try Self.receiveRequest(peer)
            try peer.send(
                .headers(.response + [WireField("grpc-encoding", "gzip")], on: 1),
                .data(.message(gzip, flag: 1), on: 1), Self.answer[2])
        }
        #expect(result.output == "6\n")
    }

    // MARK: Input

    @Test("abuse-K17: a closed input is an error, and not the sum of no numbers")
    func closedInput() async throws {
        let server = try await ServerProcess()
        let client = Tool.directory.appending(path: "sum-client").path
        let result = try await Tool.run("/bin/sh", ["-c", "exec \(client) --target \(server.address) <&-"])
        #expect(result.output.isEmpty)
        #expect(result.errors == "sum-client: stdin: Bad file descriptor\n")
        #expect(result.status == 1)
    }

    @Test("abuse-K17: a very long input gives the right sum, or the place of the bad word at its end")
    func longInput() async throws {
        let server = try await ServerProcess()
        let client = Tool.directory.appending(path: "sum-client").path
        // Two bytes a number, so that it is 2 MiB, or 1 GiB.
        let count = Scale.count(1 << 20, full: 512 << 20)
        for (end, output, errors) in [
            ("true", "\(count)\n", ""),
            ("echo 2147483648", "", "sum-client: stdin:\(count + 1):1: not an int32: '2147483648'\n"),
        ] {
            let result = try await Tool.run(
                "/bin/sh",
                [
                    "-c",
                    "{ yes 1 | head -c \(2 * count); \(end); } | exec \(client) --target \(server.address)",
                ])
            #expect(result.output == output)
            #expect(result.errors == errors)
        }
    }
}

extension WireFrame {
    /// SETTINGS with more of them.
    fileprivate func adding(_ settings: [UInt16: UInt32]) -> WireFrame {
        var frame = self
        for (key, value) in settings {
            frame.payload += [UInt8(key >> 8), UInt8(key & 0xff)] + value.wireBytes
        }
        return frame
    }
}
