import Foundation
import Testing

/// The inputs of sum-client: non-blocking pipes and sockets, FIFOs, more files than it may open.
@Suite(.timeLimit(.minutes(10))) struct InputTests {
    private static let client = Tool.directory.appending(path: "sum-client").path

    private static func setNonBlocking(_ descriptor: Int32) {
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    }

    /// A pipe or a socket whose read end is non-blocking.
    private static func nonBlockingPair(socket isSocket: Bool) throws -> (read: FileHandle, write: FileHandle)
    {
        var ends: [Int32] = [0, 0]
        let result = isSocket ? socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) : pipe(&ends)
        try #require(result == 0)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        setNonBlocking(ends[0])
        return (
            FileHandle(fileDescriptor: ends[0], closeOnDealloc: true),
            FileHandle(fileDescriptor: ends[1], closeOnDealloc: true)
        )
    }

    @Test("audit-C2: a non-blocking standard input is waited for", arguments: [false, true])
    func nonBlocking(_ isSocket: Bool) async throws {
        let server = try await ServerProcess("sum-server", ServerProcess.tracing)
        let (read, write) = try Self.nonBlockingPair(socket: isSocket)
        async let result = Tool.run("sum-client", ["--target", server.address], input: .handle(read))
        // Meanwhile the client has nothing to read.
        await server.waitForCall()
        for number in 1...3 { try write.write(contentsOf: Data("\(number) ".utf8)) }
        try write.close()
        let ended = try await result
        #expect(ended.output == "6\n", "\(ended.errors)")
        #expect(ended.status == 0)
    }

    /// Waits until a thread of the tool waits in poll(2), by its number on x86-64 or that of ppoll on arm64, or has ended.
    private static func waitUntilPolling(_ process: Process) async {
        while process.isRunning {
            let tool = Tool.child(of: process.processIdentifier) ?? 0
            let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(tool)/task")) ?? []
            let calls = threads.compactMap {
                try? String(contentsOfFile: "/proc/\(tool)/task/\($0)/syscall", encoding: .utf8)
            }
            if calls.contains(where: { $0.hasPrefix("7 ") || $0.hasPrefix("73 ") }) { return }
            try? await Task.sleep(for: .milliseconds(5))
        }
    }

    @Test(
        "audit-C2: a full non-blocking standard output gets the whole sum", arguments: [1, 2])
    func fullOutput(_ output: Int) async throws {
        let server = try await ServerProcess()
        let process = Tool.process("sum-client", ["--target", server.address, output == 1 ? "6" : "x"])
        let (full, other) = (Pipe(), Pipe())
        let descriptor = full.fileHandleForWriting.fileDescriptor
        Self.setNonBlocking(descriptor)
        while write(descriptor, [UInt8](repeating: 0, count: 4096), 4096) > 0 {}
        process.standardOutput = output == 1 ? full : other
        process.standardError = output == 2 ? full : other
        process.standardInput = FileHandle.nullDevice
        try process.run()
        await Self.waitUntilPolling(process)
        let text = await Tool.offload {
            String(decoding: full.fileHandleForReading.readDataToEndOfFile().drop { $0 == 0 }, as: UTF8.self)
        }
        await Tool.offload { process.waitUntilExit() }
        #expect(text == (output == 1 ? "6\n" : "sum-client: argument 3: not an int32: 'x'\n"))
        #expect(process.terminationStatus == (output == 1 ? 0 : 2))
    }

    @Test("audit-C2: a FIFO is opened once, when its turn comes, and does not delay connecting")
    func fifo() async throws {
        let server = try await ServerProcess("sum-server", ServerProcess.tracing)
        let path = Tool.temporaryPath()
        try #require(mkfifo(path, 0o600) == 0)
        defer { unlink(path) }
        async let result = Tool.run("sum-client", ["--target", server.address, "-f", path, "40"])
        await server.waitForCall()
        // A writer that opens and closes the FIFO, like the shell's `echo 2 > FIFO`.
        try await Tool.offload { Result { try FileHandle(forWritingTo: URL(filePath: path)) } }.get()
            .write(contentsOf: Data("2".utf8))
        let ended = try await result
        #expect(ended.output == "42\n", "\(ended.errors)")
    }

    @Test(
        "audit-C2: a missing file is reported before a FIFO ahead of it is opened, and before connecting"
    )
    func missing() async throws {
        let path = Tool.temporaryPath()
        try #require(mkfifo(path, 0o600) == 0)
        defer { unlink(path) }
        let result = try await Tool.run(
            "sum-client", ["--target", "127.0.0.1:1", "-f", path, "-f", "/nonexistent"])
        #expect(result.errors == "sum-client: /nonexistent: No such file or directory\n")
        #expect(result.status == 1)
    }

    @Test("audit-C2: there may be more files than file descriptors")
    func manyFiles() async throws {
        let server = try await ServerProcess()
        let path = Tool.temporaryPath()
        try Data("1\n".utf8).write(to: URL(filePath: path))
        defer { unlink(path) }
        let files = (0..<200).flatMap { _ in ["-f", path] }
        let result = try await Tool.run(
            "/usr/bin/prlimit",
            ["--nofile=64", Self.client, "--target", server.address, "--connect-timeout", "60s"] + files)
        #expect(result.output == "200\n", "\(result.errors)")
    }

    @Test("audit-C2: a socket is refused, and a device is read")
    func oddFiles() async throws {
        let path = Tool.temporaryPath()
        let server = try await ServerProcess("sum-server", ["--listen", "unix:\(path)"])
        let socket = try await Tool.run("sum-client", ["--target", server.address, "-f", path])
        #expect(socket.errors == "sum-client: \(path): it is a socket, which cannot be opened as a file\n")
        #expect(socket.status == 1)
        #expect(
            try await Tool.run("sum-client", ["--target", server.address, "-f", "/dev/null", "7"]).output
                == "7\n")
    }

    @Test("audit-C4: characters that are not ASCII are shown escaped")
    func lookAlikes() async throws {
        for (word, shown) in [
            ("\u{2212}5", "\\u{2212}5"), ("1\u{a0}2", "1\\u{00A0}2"), ("\u{ff11}", "\\u{FF11}"),
            ("é", "\\u{00E9}"),
        ] {
            let text = try await Tool.run("sum-client", ["--target", "127.0.0.1:1", word])
            #expect(text.errors == "sum-client: argument 3: not an int32: '\(shown)'\n")
            #expect(text.status == 2)
        }
    }

    @Test("audit-C4: an argument may have many leading zeros")
    func zeros() async throws {
        let server = try await ServerProcess()
        let word = String(repeating: "0", count: 65) + "5"
        let result = try await Tool.run(
            "sum-client", ["--target", server.address, word, "-"], input: .text(word))
        #expect(result.output == "10\n")
    }

    @Test("audit-C7: a byte order mark at the start of each input is skipped")
    func byteOrderMark() async throws {
        let server = try await ServerProcess()
        let path = Tool.temporaryPath()
        try Data("\u{feff}1\r\n2\r\n".utf8).write(to: URL(filePath: path))
        defer { unlink(path) }
        let result = try await Tool.run(
            "sum-client", ["--target", server.address, "-f", path, "-f", path, "-"],
            input: .text("\u{feff}4 5"))
        #expect(result.output == "15\n", "\(result.errors)")
    }

    @Test("audit-C7: UTF-16 input is reported as such")
    func utf16() async throws {
        let server = try await ServerProcess()
        let path = Tool.temporaryPath()
        try Data([0xff, 0xfe, 0x31, 0, 0x0a, 0]).write(to: URL(filePath: path))
        defer { unlink(path) }
        let result = try await Tool.run("sum-client", ["--target", server.address, "-f", path])
        #expect(
            result.errors == """
                sum-client: \(path):1:1: not an int32: '\\xFF\\xFE1\\0' (UTF-16? Numbers are read as ASCII or UTF-8)

                """)
        #expect(result.status == 2)
    }
}
