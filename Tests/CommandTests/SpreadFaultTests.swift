import Foundation
import ScriptedPeers
import Synchronization
import Testing

/// One input over several servers, of which some misbehave. `SpreadTests` has the rest.
@Suite(.timeLimit(.minutes(10))) struct SpreadFaultTests {
    /// Sends ones until `body` returns.
    ///
    /// - Returns: how many.
    private static func sendingOnes(
        to call: OpenCall, while body: () async throws -> Void
    ) async throws -> Int {
        let sender = Task {
            var count = 0
            while !Task.isCancelled {
                call.send(" 1")
                count += 1
                try? await Task.sleep(for: .milliseconds(1))
            }
            return count
        }
        let result: Result<Void, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        sender.cancel()
        let count = await sender.value
        try result.get()
        return count
    }

    @Test(
        "abuse-B7: a server of a spread run that is killed or drained, and started again, is used again",
        arguments: [SIGKILL, SIGTERM])
    func restarted(_ signal: Int32) async throws {
        var fleet = try await ServerFleet(of: 3, ["--log-level", "trace"])
        let call = try OpenCall.spread(fleet.addresses, ["--chunk", "1"])
        let count = try await Self.sendingOnes(to: call) {
            for server in fleet.servers { await server.waitForCall() }
            try fleet.signal(signal, to: 1)
            try await fleet.restart(1)
            // The probe, and a chunk.
            await fleet.servers[1].waitForCall()
            await fleet.servers[1].waitForCall()
        }
        let result = await call.finish(sending: " 2\n")
        #expect(result.output == "\(42 + count)\n", "\(result.errors)")
        #expect(result.status == 0)
    }

    @Test(
        "abuse-B7: a server of a spread run that is replaced by one that treats overflow differently ends the run",
        arguments: [SIGKILL, SIGTERM])
    func replaced(_ signal: Int32) async throws {
        let first = try await ServerProcess("sum-server", ServerProcess.replaceable)
        let call = try OpenCall.spread([first.address], ["--chunk", "1"])
        await first.waitForCall()
        await first.waitForCall()
        kill(try #require(Tool.child(of: first.id)), signal)
        _ = await first.ended()
        let second = try await ServerProcess(
            "sum-server", ["--listen", first.address, "--overflow", "wrap"])
        let result = await call.finish(sending: " 1 2 3\n")
        #expect(result.output == "")
        #expect(
            result.errors.hasSuffix(
                "sum-client: FAILED_PRECONDITION: \(first.address) was replaced by a server that does something else "
                    + "with sums that do not fit int32\n"), "\(result.errors)")
        #expect(result.status == 73)
        #expect(await second.stop().status == 0)
    }

    @Test("abuse-B7: of a spread run, a server that is slow adds less than the others, and holds up nothing")
    func slowed() async throws {
        let servers = [
            try await ServerProcess("sum-server", ServerProcess.tracing), try await ServerProcess(),
        ]
        let slow = try #require(Tool.child(of: servers[0].id))
        let pulse = Task {
            while !Task.isCancelled {
                kill(slow, SIGSTOP)
                try? await Task.sleep(for: .milliseconds(9))
                kill(slow, SIGCONT)
                try? await Task.sleep(for: .milliseconds(1))
            }
        }
        let numbers = Array(1...20_000)
        let path = Tool.temporaryPath()
        try Data(numbers.map { "\($0)" }.joined(separator: "\n").utf8).write(to: URL(filePath: path))
        let result = try await Tool.run(
            "sum-client",
            ["--spread", "--chunk", "500", "--target", servers[0].address, "--target", servers[1].address]
                + ["-f", path])
        pulse.cancel()
        await pulse.value
        try? FileManager.default.removeItem(atPath: path)
        #expect(result.output == "\(numbers.reduce(0, +))\n", "\(result.errors)")
    }

    @Test("abuse-B7: if all but one server are stopped with chunks in hand, that one adds them all")
    func allButOneStopped() async throws {
        var servers: [ServerProcess] = []
        for _ in 1...3 { servers.append(try await ServerProcess("sum-server", ServerProcess.tracing)) }
        let call = try OpenCall.spread(servers.map(\.address), ["--chunk", "1"])
        let tools = try servers.map { try #require(Tool.child(of: $0.id)) }
        let count = try await Self.sendingOnes(to: call) {
            for server in servers {
                await server.waitForCall()
                await server.waitForCall()
            }
            for tool in tools[1...] { kill(tool, SIGSTOP) }
        }
        let result = await call.finish(sending: "")
        for tool in tools[1...] { kill(tool, SIGCONT) }
        #expect(result.output == "\(40 + count)\n", "\(result.errors)")
    }

    @Test("Numbers of a spread run come from the command line, files and standard input, in this order")
    func inputs() async throws {
        let server = try await ServerProcess()
        let path = Tool.temporaryPath()
        try Data("10 20\n".utf8).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let spread = ["--spread", "--chunk", "2", "--target", server.address]
        let sum = try await Tool.run("sum-client", spread + ["-f", path, "1", "-2", "-"], input: .text("5"))
        #expect(sum.output == "34\n")
        let bad = try await Tool.run("sum-client", spread + ["-f", path, "1", "-"], input: .text("5\nx"))
        #expect(bad.output == "")
        #expect(bad.errors == "sum-client: stdin:2:1: not an int32: 'x'\n")
        #expect(bad.status == 2)
        let missing = try await Tool.run("sum-client", spread + ["-f", "\(path).missing"])
        #expect(missing.output == "")
        #expect(missing.status == 1)
    }

    @Test("--json escapes the path of a Unix domain socket")
    func json() async throws {
        let path = Tool.temporaryPath() + "\"\\\u{1}é"
        let server = try await ServerProcess("sum-server", ["--listen", "unix:\(path)"])
        let result = try await Tool.run(
            "sum-client", ["--spread", "--json", "--target", "unix:\(path)", "1", "2"])
        let json = try #require(
            try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
        #expect(json["sum"] as? Int == 3)
        let shares = try #require(json["servers"] as? [[String: Any]])
        #expect(shares.compactMap { $0["address"] as? String } == ["unix:\(path)"])
        #expect(await server.stop().status == 0)
    }

    /// Runs sum-client with a server that answers each call with these frames, after its last message.
    private static func scripted(
        _ options: [String] = [], _ answer: @escaping @Sendable (UInt32) -> [WireFrame]
    ) async throws -> Tool.Result {
        let server = try ScriptedServer { peer in
            try peer.send(.settings(), .settingsAck)
            while let frame = try peer.receive() {
                guard frame.endsStream else { continue }
                try peer.send(bytes: answer(frame.streamID).flatMap(\.bytes))
            }
        }
        let result = try await Tool.run(
            "sum-client", ["--spread", "--target", server.address] + options + ["1", "2"])
        try await server.end()
        return result
    }

    @Test("abuse-B8: a server without the method ends a spread run with its status")
    func unimplemented() async throws {
        let result = try await Self.scripted { stream in
            [.headers(.response + .trailers(12, "no such method"), on: stream, endStream: true)]
        }
        #expect(result.output == "")
        #expect(result.errors == "sum-client: UNIMPLEMENTED: no such method\n")
        #expect(result.status == 76)
    }

    @Test("abuse-B8: a server that cannot add is found out before it is given a number")
    func wrongProbe() async throws {
        let result = try await Self.scripted { stream in
            [
                .headers(.response, on: stream), .data([UInt8].number(6), on: stream),
                .headers(.trailers(0), on: stream, endStream: true),
            ]
        }
        #expect(result.output == "")
        #expect(
            result.errors == "sum-client: DATA_LOSS: the server says that the sum of 2147483647 and 1 is 6\n")
        #expect(result.status == 79)
    }

    private final class Counter: Sendable {
        let value = Atomic(0)
    }

    @Test(
        "abuse-B8: a server that answers UNAVAILABLE ends a spread run if it is the only one, and is done without if not"
    )
    func unavailable() async throws {
        let calls = Counter()
        let answer: @Sendable (UInt32) -> [WireFrame] = { stream in
            calls.value.add(1, ordering: .relaxed)
            return [.headers(.response + .trailers(14, "no upstream"), on: stream, endStream: true)]
        }
        let alone = try await Self.scripted([], answer)
        #expect(alone.output == "")
        #expect(alone.errors.contains("UNAVAILABLE: "), "\(alone.errors)")
        #expect(alone.errors.contains("no upstream"), "\(alone.errors)")
        #expect(alone.status == 78)
        // It is not asked without pause.
        #expect(calls.value.load(ordering: .relaxed) < 10)
        let server = try await ServerProcess()
        let together = try await Self.scripted(["--target", server.address], answer)
        #expect(together.output == "3\n", "\(together.errors)")
    }

    @Test("With --wait-for-ready a spread run waits for its servers until the deadline")
    func waitForReady() async throws {
        let path = Tool.temporaryPath()
        async let result = Tool.run(
            "sum-client",
            [
                "--spread", "--wait-for-ready", "--connect-timeout", "10ms", "--target", "unix:\(path)", "1",
                "2",
            ])
        // Long enough that the client has failed to connect, if it is quick; it need not be.
        try await Task.sleep(for: .milliseconds(300))
        let server = try await ServerProcess("sum-server", ["--listen", "unix:\(path)"])
        #expect(try await result.output == "3\n")
        #expect(await server.stop().status == 0)
        let late = try await Tool.run(
            "sum-client",
            ["--spread", "--wait-for-ready", "--timeout", "50ms", "--target", "unix:\(path)", "1"])
        #expect(late.output == "")
        #expect(late.status == 68)
    }
}
