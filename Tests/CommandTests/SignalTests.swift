import Foundation
import Testing

/// Signals to the server's process.
@Suite(.timeLimit(.minutes(10))) struct SignalTests {
    private static let server = Tool.directory.appending(path: "sum-server").path

    @Test("audit-S1: signals in quick succession count as one, and the open call finishes")
    func together() async throws {
        let server = try await ServerProcess("sum-server", ServerProcess.tracing)
        let call = try OpenCall(server.address)
        await server.waitForCall()
        let tool = try #require(Tool.child(of: server.id))
        // While it is stopped, the signals accumulate, and are then delivered at once.
        for signal in [SIGSTOP, SIGTERM, SIGINT, SIGQUIT, SIGCONT] { kill(tool, signal) }
        await server.waitFor("stopping")
        let result = await call.finish(sending: "2")
        #expect(result.output == "42\n")
        let ended = await server.ended()
        #expect(ended.status == 0)
        #expect(!ended.log.contains("another signal"))
    }

    @Test("audit-S5: SIGQUIT lets the open call finish")
    func quit() async throws {
        let server = try await ServerProcess("sum-server", ServerProcess.tracing)
        let call = try OpenCall(server.address)
        await server.waitForCall()
        server.signal(SIGQUIT)
        await server.waitFor("stopping")
        #expect(await call.finish(sending: "2").output == "42\n")
        #expect(await server.ended().status == 0)
    }

    @Test("audit-S5: SIGHUP is logged and does nothing")
    func hangUp() async throws {
        let server = try await ServerProcess()
        server.signal(SIGHUP)
        await server.waitFor("there is nothing to reload")
        #expect(try await Tool.run("sum-client", ["--target", server.address, "5"]).output == "5\n")
        #expect(await server.stop().status == 0)
    }

    @Test("audit-S5: signals that the parent ignores stay ignored, except SIGTERM")
    func ignored() async throws {
        let server = try await ServerProcess(
            "/bin/sh",
            ["-c", "trap '' HUP INT QUIT TERM; exec \"$0\" --listen 127.0.0.1:0", Self.server])
        let tool = try #require(Tool.child(of: server.id))
        for signal in [SIGHUP, SIGINT, SIGQUIT] { kill(tool, signal) }
        #expect(try await Tool.run("sum-client", ["--target", server.address, "5"]).output == "5\n")
        kill(tool, SIGTERM)
        let (status, log) = await server.ended()
        #expect(status == 0)
        #expect(log.split(separator: "\n").count == 1, "\(log)")
        #expect(log.contains("signal=SIGTERM"))
    }

    @Test("audit-S5: under nohup the server survives the end of the session")
    func nohup() async throws {
        let server = try await ServerProcess(
            "/usr/bin/nohup", [Self.server, "--listen", "127.0.0.1:0"])
        let tool = try #require(Tool.child(of: server.id))
        kill(tool, SIGHUP)
        #expect(try await Tool.run("sum-client", ["--target", server.address, "5"]).output == "5\n")
        kill(tool, SIGTERM)
        let (status, log) = await server.ended()
        #expect(status == 0)
        #expect(!log.contains("reload"))
    }
}
