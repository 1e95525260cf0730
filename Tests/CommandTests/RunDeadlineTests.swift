import Foundation
import ScriptedPeers
import Testing

/// `--timeout` is the deadline of the whole run, whatever the client is doing. In all of these tests connecting may
/// take a minute, so that no other limit ends them.
@Suite(.timeLimit(.minutes(10))) struct RunDeadlineTests {
    /// - Parameter activity: what the client was doing; empty if it had a server, which may be the first to say that the
    ///   deadline has passed.
    private func expectDeadline(
        _ target: String, _ options: [String] = ["1"], while activity: String = "connecting to "
    ) async throws {
        let result = try await Tool.run("sum-client", ["--target", target, "--timeout", "1s"] + options)
        #expect(result.output.isEmpty)
        let connecting = activity.isEmpty ? "" : " while \(activity)\(target)"
        #expect(
            result.errors.hasPrefix("sum-client: DEADLINE_EXCEEDED: the deadline has passed\(connecting)"))
        #expect(result.errors.split(separator: "\n").count == 1)
        #expect(result.status == 68, "\(result.errors)")
    }

    @Test(
        "audit-C1: the deadline holds while the server refuses connections",
        arguments: [["1"], ["-"], ["--health"], ["--wait-for-ready", "1"], ["--retry", "5", "1"]])
    func refused(_ options: [String]) async throws {
        try await expectDeadline("127.0.0.1:1", options)
    }

    @Test("audit-C1: the deadline holds while an address does not respond")
    func noAnswer() async throws {
        try await expectDeadline(SilentAddress().address)
    }

    @Test("audit-C1: the deadline holds while the server sends nothing")
    func silent() async throws {
        let server = try ScriptedServer { peer in _ = try peer.receiveAll() }
        try await expectDeadline(server.address)
        try await server.end()
    }

    @Test("audit-C1: the deadline holds while the server is paused")
    func paused() async throws {
        let server = try await ServerProcess()
        let tool = try #require(Tool.child(of: server.id))
        kill(tool, SIGSTOP)
        defer { kill(tool, SIGCONT) }
        try await expectDeadline(server.address)
    }

    @Test("audit-C1: the deadline holds while a FIFO has no writer")
    func fifo() async throws {
        let server = try await ServerProcess()
        let path = Tool.temporaryPath()
        try #require(mkfifo(path, 0o600) == 0)
        defer { unlink(path) }
        try await expectDeadline(server.address, ["-f", path], while: "")
    }

    @Test("audit-C1: a deadline of zero has passed at once")
    func zero() async throws {
        let server = try await ServerProcess()
        for target in [server.address, "127.0.0.1:1"] {
            let result = try await Tool.run("sum-client", ["--target", target, "--timeout", "0s", "1"])
            #expect(result.status == 68, "\(result.errors)")
        }
    }

    @Test("audit-C1: a shorter connect timeout ends the run as before")
    func connectTimeout() async throws {
        let result = try await Tool.run(
            "sum-client",
            ["--target", "127.0.0.1:1", "--timeout", "600s", "--connect-timeout", "3s", "1"])
        #expect(
            result.errors == "sum-client: UNAVAILABLE: cannot connect to 127.0.0.1:1: Connection refused\n")
        #expect(result.status == 78)
    }
}
