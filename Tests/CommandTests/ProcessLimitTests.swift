import Foundation
import ScriptedPeers
import Testing

/// Processes with few threads or file descriptors: they work, or explain in one line why not.
@Suite(.timeLimit(.minutes(10))) struct ProcessLimitTests {
    /// A user without processes, so that only the test's own count; nil if that is impossible here.
    private static let user: Int? = {
        guard geteuid() == 0 else { return nil }
        let user = 40_000 + Int(getpid()) % 20_000
        let probe = Tool.process("/usr/bin/setpriv", limits(user, 8) + [tool("sum-client"), "--version"])
        probe.standardOutput = FileHandle.nullDevice
        probe.standardError = FileHandle.nullDevice
        try? probe.run()
        probe.waitUntilExit()
        return probe.terminationStatus == 0 ? user : nil
    }()

    private static func limits(_ user: Int, _ threads: Int) -> [String] {
        ["--reuid=\(user)", "--clear-groups", "/usr/bin/prlimit", "--nproc=\(threads):\(threads)"]
    }

    private static func tool(_ name: String) -> String { Tool.directory.appending(path: name).path }

    /// Whether a server works. Otherwise it must have explained why, in one line.
    private func expectServiceOrLine(_ program: String, _ arguments: [String], _ what: String) async throws
        -> Bool
    {
        do {
            let server = try await ServerProcess(program, arguments)
            try await Tool.offload { Result { try server.callForSum() } }.get()
            #expect(await server.stop().status == 0, "\(what)")
            return true
        } catch let error as ServerProcess.NotListening {
            #expect(error.reason.split(separator: "\n").count == 1, "\(what): \(error.reason)")
            #expect(!error.reason.contains("Fatal error"), "\(what): \(error.reason)")
            return false
        }
    }

    @Test("audit-S6: with few file descriptors a server works, or explains why not")
    func descriptors() async throws {
        var works: [Bool] = []
        for count in 3...40 {
            works.append(
                try await expectServiceOrLine(
                    "/bin/sh",
                    ["-c", "ulimit -n \(count); exec \"$0\" --listen 127.0.0.1:0", Self.tool("sum-server")],
                    "\(count) descriptors"))
        }
        #expect(works.first == false)
        #expect(works.last == true || ProcessInfo.processInfo.activeProcessorCount > 8)
    }

    @Test(
        "audit-S6: with few threads a server works, or explains why not",
        .enabled(if: user != nil, "a user of its own must be able to run the tools, which needs root"))
    func threads() async throws {
        let user = try #require(Self.user)
        var works: [Bool] = []
        for count in Array(0...12) + [1000] {
            works.append(
                try await expectServiceOrLine(
                    "/usr/bin/setpriv",
                    Self.limits(user, count) + [Self.tool("sum-server"), "--listen", "127.0.0.1:0"],
                    "\(count) threads"))
        }
        #expect(works.first == false)
        #expect(works.last == true)
        let result = try await Tool.run(
            "/usr/bin/setpriv", Self.limits(user, 1) + [Self.tool("sum-server"), "--listen", "127.0.0.1:0"])
        #expect(result.status == 1)
        #expect(result.errors.contains("threads are needed, but only 0 can be started"))
    }

    @Test(
        "audit-S6: with few threads or file descriptors a client prints the sum, or explains why not",
        .enabled(if: user != nil, "a user of its own must be able to run the tools, which needs root"))
    func client() async throws {
        let user = try #require(Self.user)
        let server = try await ServerProcess()
        let call = [
            Self.tool("sum-client"), "--target", server.address, "--connect-timeout", "60s", "1", "-",
        ]
        for count in Array(0...14) + [1000] {
            let result = try await Tool.run(
                "/usr/bin/setpriv", Self.limits(user, count) + call, input: .text("2"))
            expectSumOrLine(result, "\(count) threads")
            if count == 1000 { #expect(result.output == "3\n") }
        }
        for count in 3...40 {
            let result = try await Tool.run(
                "/bin/sh", ["-c", "ulimit -n \(count); exec \"$0\" \"$@\""] + call, input: .text("2"))
            expectSumOrLine(result, "\(count) descriptors")
        }
        #expect(await server.stop().status == 0)
    }

    private func expectSumOrLine(_ result: Tool.Result, _ what: String) {
        if result.status == 0 {
            #expect(result.output == "3\n", "\(what)")
        } else {
            #expect(result.output.isEmpty, "\(what)")
            #expect([1, 78, 127].contains(result.status), "\(what): \(result)")
            #expect(result.errors.split(separator: "\n").count == 1, "\(what): \(result.errors)")
            #expect(!result.errors.contains("Fatal error"), "\(what): \(result.errors)")
        }
    }
}
