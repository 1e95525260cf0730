import Foundation
import ScriptedPeers
import Testing

/// Processes that start, stop, and are killed.
@Suite(.timeLimit(.minutes(10))) struct LifecycleTests {
    @Test(
        "abuse-L1: SIGTERM lets open calls finish, and the server exits with 0", arguments: [SIGTERM, SIGINT])
    func drain(_ signal: Int32) async throws {
        let server = try await ServerProcess("sum-server", ServerProcess.tracing)
        let call = try OpenCall(server.address)
        await server.waitForCall()
        server.signal(signal)
        let result = await call.finish(sending: "2")
        #expect(result.output == "42\n")
        #expect(result.status == 0)
        #expect(await server.ended().status == 0)
    }

    @Test("grpc-V4: a health watcher is notified when the server stops, and does not delay it")
    func watchedDrain() async throws {
        let server = try await ServerProcess()
        let frames = try await Tool.offload {
            Result {
                let watcher = try WireSocket(connectingTo: server.address)
                try watcher.send(bytes: WireFrame.preface)
                try watcher.send(
                    .settings(), .settingsAck,
                    .headers(.request.with(WireField(":path", "/grpc.health.v1.Health/Watch")), on: 1),
                    .data([0, 0, 0, 0, 0], on: 1, endStream: true))
                let first = try watcher.receive(.data)
                server.signal(SIGTERM)
                return [first] + (try watcher.receiveAll())
            }
        }.get().compactMap { $0 }
        #expect(frames.filter { $0.kind == .data }.map(\.payload) == [1, 2].map { [0, 0, 0, 0, 2, 8, $0] })
        #expect(frames.contains { $0.kind == .goAway })
        #expect(frames.contains { $0.kind == .headers && $0.endsStream })
        #expect(await server.ended().status == 0)
    }

    @Test("abuse-L3: an idle server stops at once")
    func idle() async throws {
        let server = try await ServerProcess()
        #expect(await server.stop().status == 0)
    }

    @Test("abuse-L2: a call that does not end in time is cut off, and both sides report it")
    func drainTimeout() async throws {
        let server = try await ServerProcess(
            "sum-server", ServerProcess.tracing + ["--drain-timeout", "50ms"])
        let call = try OpenCall(server.address)
        await server.waitForCall()
        let ended = await server.stop()
        #expect(ended.status == 1)
        #expect(ended.log.contains("calls were cut"))
        let result = await call.ended()
        #expect(result.output.isEmpty)
        #expect(result.status == 78)
    }

    @Test("abuse-L3: a second signal stops the server at once")
    func secondSignal() async throws {
        let server = try await ServerProcess("sum-server", ServerProcess.tracing)
        let call = try OpenCall(server.address)
        await server.waitForCall()
        // Signals within the first half second count as one.
        let signals = Task {
            while let tool = Tool.child(of: server.id) {
                kill(tool, SIGTERM)
                try? await Task.sleep(for: .milliseconds(20))
            }
        }
        let ended = await server.ended()
        await signals.value
        #expect(ended.status == 1)
        #expect(ended.log.contains("another signal"))
        #expect(await call.ended().status == 78)
    }

    @Test("abuse-K16, grpc-S15: SIGINT cancels the call on the wire", arguments: [SIGINT, SIGTERM])
    func interrupt(_ signal: Int32) async throws {
        let server = try await ServerProcess(
            "sum-server", ServerProcess.tracing)
        let call = try OpenCall(server.address)
        await server.waitForCall()
        Tool.send(signal, to: call.process)
        let result = await call.ended()
        #expect(result.output.isEmpty)
        #expect(result.errors.hasSuffix("sum-client: interrupted\n"))
        #expect(result.status == 130)
        #expect(await server.stop().log.contains("status=CANCELLED"))
    }

    @Test("abuse-K16: a signal kills a client that has no run to interrupt", arguments: [SIGINT, SIGTERM])
    func killed(_ signal: Int32) async throws {
        let (called, calls) = AsyncStream<Void>.makeStream()
        let server = try ScriptedServer { peer in
            try peer.send(.settings(), .settingsAck)
            _ = try peer.receive(.headers)
            calls.yield()
            _ = try peer.receiveAll()
        }
        let check = try OpenCall(
            process: Tool.process("sum-client", ["--health", "--target", server.address]))
        for await _ in called { break }
        Tool.send(signal, to: check.process)
        let result = await check.ended()
        #expect(result.output.isEmpty)
        #expect(result.errors.isEmpty)
        // `timeout` ends like the tool.
        #expect(check.process.terminationReason == .uncaughtSignal)
        #expect(result.status == signal)
        try await server.end()
    }

    @Test(
        "abuse-K16: a signal that was ignored when the client started stays ignored",
        arguments: [("INT", SIGINT), ("TERM", SIGTERM)])
    func ignoredSignal(_ name: String, _ signal: Int32) async throws {
        let server = try await ServerProcess("sum-server", ServerProcess.tracing)
        let client = Tool.directory.appending(path: "sum-client").path
        let call = try OpenCall(
            process: Tool.process(
                "/bin/sh", ["-c", "trap '' \(name); exec \(client) -v --target \(server.address) 40 -"]))
        await server.waitForCall()
        Tool.send(signal, to: call.process)
        let result = await call.finish(sending: "2")
        #expect(result.output == "42\n", "\(result.errors)")
        #expect(result.status == 0)
    }

    @Test("abuse-D3: a deadline ends a call while its input is still open")
    func deadline() async throws {
        let server = try await ServerProcess()
        let result = try await OpenCall(server.address, ["--timeout", "100ms"]).ended()
        #expect(result.output.isEmpty)
        #expect(result.errors.contains("DEADLINE_EXCEEDED"))
        #expect(result.status == 68)
    }

    @Test("abuse-L6: when the server is killed the client prints no sum")
    func killedServer() async throws {
        let path = Tool.temporaryPath()
        let listens = ["--listen", "unix:\(path)", "--log-level", "trace"]
        // Through a shell that prints its process id: the test's own child is `timeout`.
        let server = try await ServerProcess("sum-server", listens)
        let call = try OpenCall(server.address)
        await server.waitForCall()
        _ = try await Tool.run("/usr/bin/pkill", ["-KILL", "-f", "^[^ ]*sum-server --listen unix:\(path)"])
        let result = await call.ended()
        #expect(result.output.isEmpty)
        #expect(result.errors.contains("UNAVAILABLE: the connection was lost"))
        #expect(result.status == 78)
        // It leaves a socket file, which the next server replaces.
        #expect(FileManager.default.fileExists(atPath: path))
        let next = try await ServerProcess("sum-server", listens)
        #expect(try await Tool.run("sum-client", ["--target", next.address, "5"]).output == "5\n")
        #expect(await next.stop().status == 0)
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test("abuse-L10: an address in use is reported in one line, for ports and for sockets")
    func addressInUse() async throws {
        let path = Tool.temporaryPath()
        for address in ["127.0.0.1:0", "unix:\(path)"] {
            let server = try await ServerProcess("sum-server", ["--listen", address])
            let second = try await Tool.run("sum-server", ["--listen", server.address])
            #expect(second.output.isEmpty)
            #expect(
                second.errors == "sum-server: cannot listen on \(server.address): Address already in use\n")
            #expect(second.status == 1)
            #expect(try await Tool.run("sum-client", ["--target", server.address, "5"]).output == "5\n")
            #expect(await server.stop().status == 0)
        }
    }

    @Test("A file that is not a socket is not replaced")
    func fileInTheWay() async throws {
        let path = Tool.temporaryPath()
        try Data("precious".utf8).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let result = try await Tool.run("sum-server", ["--listen", "unix:\(path)"])
        #expect(
            result.errors == "sum-server: cannot listen on unix:\(path): the file is not a socket\n")
        #expect(result.status == 1)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "precious")
    }

    @Test("The client waits for a server that is still starting")
    func connectRetry() async throws {
        let path = Tool.temporaryPath()
        async let result = Tool.run(
            "sum-client", ["--target", "unix:\(path)", "--connect-timeout", "30s", "1", "2"])
        // By then the client was refused at least once, or has not started yet; both must work.
        try await Task.sleep(for: .milliseconds(50))
        let server = try await ServerProcess("sum-server", ["--listen", "unix:\(path)"])
        #expect(try await result.output == "3\n")
        #expect(await server.stop().status == 0)
    }

    @Test("Port 0 on all interfaces: IPv4 and IPv6 clients are served, and the port is printed")
    func allInterfaces() async throws {
        let server = try await ServerProcess("sum-server", ["--port", "0"])
        let port = try #require(server.address.split(separator: ":").last)
        #expect(try await Tool.run("sum-client", ["--target", "127.0.0.1:\(port)", "1"]).output == "1\n")
        if server.address.hasPrefix("[::]") {
            #expect(try await Tool.run("sum-client", ["--target", "[::1]:\(port)", "2"]).output == "2\n")
        }
        #expect(try await Tool.run("sum-client", ["--target", "localhost:\(port)", "3"]).output == "3\n")
    }
}
