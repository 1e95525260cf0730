import Foundation
import Testing

/// Outputs that are closed or full, deleted directories, addresses that cannot be listened on.
@Suite(.timeLimit(.minutes(10))) struct EnvironmentTests {
    private static let server = Tool.directory.appending(path: "sum-server").path
    private static let client = Tool.directory.appending(path: "sum-client").path

    /// Starts a server through a shell, on a Unix domain socket, and makes a call.
    private func expectService(_ command: String, errors: Pipe? = nil, calls: Int = 1) async throws {
        let path = Tool.temporaryPath()
        let process = Tool.process(
            "/bin/sh", ["-c", command.replacing("SERVER", with: "\(Self.server) --listen unix:\(path)")])
        process.standardError = errors ?? FileHandle.nullDevice
        try process.run()
        for _ in 0..<calls {
            let result = try await Tool.run(
                "sum-client", ["--target", "unix:\(path)", "--connect-timeout", "30s", "1"])
            #expect(result.output == "1\n")
        }
        Tool.send(SIGTERM, to: process)
        await Tool.offload { process.waitUntilExit() }
        #expect(process.terminationStatus == 0)
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test(
        "abuse-L11: a server whose outputs are closed, or cannot be written, keeps serving",
        arguments: [">&- 2>&-", "<&- >&- 2>&-", "> /dev/full 2>&1"])
    func closedOutput(_ redirections: String) async throws {
        try await expectService("exec SERVER --log-level debug \(redirections)", calls: 3)
    }

    @Test("abuse-L11: a server survives the reader of its log")
    func brokenPipe() async throws {
        let errors = Pipe()
        try errors.fileHandleForReading.close()
        try await expectService("exec SERVER --log-level debug >&2", errors: errors, calls: 3)
    }

    @Test("abuse-L11: a log that nobody reads blocks no call")
    func fullPipe() async throws {
        let errors = Pipe()
        let descriptor = errors.fileHandleForWriting.fileDescriptor
        let flags = fcntl(descriptor, F_GETFL)
        _ = fcntl(descriptor, F_SETFL, flags | O_NONBLOCK)
        while write(descriptor, [UInt8](repeating: 0, count: 4096), 4096) > 0 {}
        _ = fcntl(descriptor, F_SETFL, flags)
        // Foundation closes its own copy when the process has started.
        let copy = dup(descriptor)
        defer { close(copy) }
        try await expectService("exec SERVER --log-level debug >&2", errors: errors, calls: 3)
        #expect(fcntl(copy, F_GETFL) == flags, "others who write to the pipe find it changed")
    }

    @Test("abuse-L11: a client reports that it cannot write its sum")
    func closedPipe() async throws {
        let server = try await ServerProcess()
        let output = Pipe()
        try output.fileHandleForReading.close()
        let process = Tool.process("sum-client", ["--target", server.address, "1"])
        let errors = Pipe()
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        await Tool.offload { process.waitUntilExit() }
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        #expect(text == "sum-client: standard output: Broken pipe\n")
        #expect(process.terminationStatus == 1)
    }

    @Test(
        "abuse-L11: a client whose errors nobody reads exits with the same code",
        arguments: [">&-", "> /dev/full"])
    func closedErrors(_ redirection: String) async throws {
        let result = try await Tool.run(
            "/bin/sh", ["-c", "\(Self.client) --target 127.0.0.1:1 --connect-timeout 50ms 1 2\(redirection)"])
        #expect(result.status == 78)
    }

    @Test(
        "abuse-L10: an address that cannot be listened on is reported in one line",
        arguments: [
            ("192.0.2.1:0", "Cannot assign requested address"), ("no-such-host.invalid:1", ""),
            ("unix:/nonexistent/socket", "No such file or directory"),
            ("unix:/" + String(repeating: "x", count: 200), ""),
        ])
    func badAddress(_ address: String, _ reason: String) async throws {
        let result = try await Tool.run("sum-server", ["--listen", address])
        #expect(result.output.isEmpty)
        #expect(result.errors.hasPrefix("sum-server: cannot listen on \(address): \(reason)"))
        #expect(result.errors.split(separator: "\n").count == 1)
        #expect(result.status == 1)
    }

    @Test(
        "abuse-L10: a privileged port",
        .enabled(
            if: (try? String(contentsOfFile: "/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding: .utf8))
                == "1024\n"))
    func privilegedPort() async throws {
        let without = ["--bounding-set=-net_bind_service", "--inh-caps=-net_bind_service"]
        let result = try await Tool.run(
            "/usr/bin/setpriv", (geteuid() == 0 ? without : []) + [Self.server, "--listen", "127.0.0.1:1"])
        #expect(result.errors == "sum-server: cannot listen on 127.0.0.1:1: Permission denied\n")
        #expect(result.status == 1)
    }

    @Test("A deleted working directory harms neither tool")
    func vanishedDirectory() async throws {
        let directory = Tool.temporaryPath()
        let enter = "mkdir \(directory) && cd \(directory) && rmdir \(directory) && exec"
        try await expectService("\(enter) SERVER")
        let server = try await ServerProcess()
        let result = try await Tool.run(
            "/bin/sh", ["-c", "\(enter) \(Self.client) --target \(server.address) 1 2"])
        #expect(result.output == "3\n")
    }

    private static let canRemount: Bool = {
        let process = Tool.process("/usr/bin/unshare", ["-rm", "/bin/mount", "-o", "remount,bind,ro", "/"])
        process.standardError = FileHandle.nullDevice
        try? process.run()
        process.waitUntilExit()
        return process.terminationStatus == 0
    }()

    @Test("A read-only file system matters only for Unix domain sockets", .enabled(if: canRemount))
    func readOnly() async throws {
        let remount = "mount -o remount,bind,ro / && exec"
        let socket = try await Tool.run(
            "/usr/bin/unshare", ["-rm", "/bin/sh", "-c", "\(remount) \(Self.server) --listen unix:/sum.sock"])
        #expect(socket.errors == "sum-server: cannot listen on unix:/sum.sock: Read-only file system\n")
        #expect(socket.status == 1)
        let server = try await ServerProcess(
            "/usr/bin/unshare", ["-rm", "/bin/sh", "-c", "\(remount) \(Self.server) --listen 127.0.0.1:0"])
        #expect(try await Tool.run("sum-client", ["--target", server.address, "5"]).output == "5\n")
        #expect(await server.stop().status == 0)
    }
}
