import Foundation
import Testing

/// Outputs that cannot be written, and terminals.
@Suite(.timeLimit(.minutes(10))) struct OutputTests {
    @Test(
        "audit-C5: the output of --help, --version and the like is written, or an error is reported",
        arguments: [
            ("sum-client", "--help"), ("sum-client", "--version"),
            ("sum-client", "--generate-completion-script=bash"),
            ("sum-server", "--help"), ("sum-server", "--version"),
            ("sum-server", "--generate-completion-script=bash"),
        ])
    func unwritable(_ tool: String, _ option: String) async throws {
        let path = Tool.directory.appending(path: tool).path
        let full = try await Tool.run("/bin/sh", ["-c", "\(path) \(option) > /dev/full"])
        #expect(full.errors == "\(tool): standard output: No space left on device\n")
        #expect(full.status == 1)
        let closed = try await closedPipe(tool, [option])
        #expect(closed.errors == "\(tool): standard output: Broken pipe\n")
        #expect(closed.status == 1)
        let written = try await Tool.run("/bin/sh", ["-c", "\(path) \(option)"])
        #expect(!written.output.isEmpty)
        #expect(written.errors.isEmpty)
        #expect(written.status == 0)
    }

    @Test(
        "audit-C5: failing to write the result is an error",
        arguments: [["1", "2"], ["--json", "1"], ["--health"]])
    func results(_ words: [String]) async throws {
        let server = try await ServerProcess()
        let client = Tool.directory.appending(path: "sum-client").path
        let call = "\(client) --target \(server.address) \(words.joined(separator: " "))"
        let full = try await Tool.run("/bin/sh", ["-c", "\(call) > /dev/full"])
        #expect(full.errors == "sum-client: standard output: No space left on device\n")
        #expect(full.status == 1)
        let closed = try await closedPipe("sum-client", ["--target", server.address] + words)
        #expect(closed.errors == "sum-client: standard output: Broken pipe\n")
        #expect(closed.status == 1)
    }

    /// Runs a tool whose standard output has no reader.
    private func closedPipe(_ tool: String, _ words: [String]) async throws -> (errors: String, status: Int32)
    {
        let output = Pipe()
        try output.fileHandleForReading.close()
        let process = Tool.process("/usr/bin/env", [Tool.directory.appending(path: tool).path] + words)
        let errors = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let text = await Tool.offload { errors.fileHandleForReading.readDataToEndOfFile() }
        await Tool.offload { process.waitUntilExit() }
        return (String(decoding: text, as: UTF8.self), process.terminationStatus)
    }

    /// Runs sum-client on a terminal with so many columns, and ends its input once it has shown its progress.
    private func onTerminal(columns: Int, _ options: String) async throws -> String {
        let server = try await ServerProcess()
        let input = Tool.temporaryPath()
        try #require(mkfifo(input, 0o600) == 0)
        defer { unlink(input) }
        let client = Tool.directory.appending(path: "sum-client").path
        let process = Tool.process(
            "/usr/bin/env",
            [
                "TERM=xterm", "/usr/bin/script", "-qec",
                "stty cols \(columns) && exec \(client) --target \(server.address) \(options) 40 - < \(input)",
                "/dev/null",
            ])
        let output = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        try process.run()
        let writer = try await Tool.offload { Result { try FileHandle(forWritingTo: URL(filePath: input)) } }
            .get()
        let shown = await output.read(until: "1 num")
        try writer.close()
        let rest = await Tool.offload {
            String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        }
        await Tool.offload { process.waitUntilExit() }
        #expect(process.terminationStatus == 0)
        return shown + rest
    }

    private static let clear = "\r\u{1b}[K"

    @Test("audit-C5: the progress line fits the terminal", arguments: [10, 20, 80])
    func narrow(_ columns: Int) async throws {
        let text = try await onTerminal(columns: columns, "")
        let lines = text.components(separatedBy: Self.clear).dropFirst()
        let progress = lines.first { $0.hasPrefix("1 num") }
        #expect(progress == String("1 numbers, 0.0 million a second".prefix(columns - 1)))
        #expect(lines.dropLast().allSatisfy { $0.count < columns })
        #expect(lines.last == "40\r\n")
    }

    @Test(
        "audit-C4: quoted text cannot move the cursor of a terminal",
        arguments: [
            ("sum-client", ["-f", "/no\u{1b}[2J"], 1), ("sum-client", ["--target", "\u{1b}[2J:x", "1"], 64),
            ("sum-client", ["--target", "\u{1b}[2J:1", "1"], 78),
            ("sum-server", ["--listen", "\u{1b}[2J:x"], 64),
            ("sum-server", ["--listen", "unix:/no\u{9b}2J/x"], 1),
        ] as [(String, [String], Int32)])
    func quotes(_ tool: String, _ words: [String], _ status: Int32) async throws {
        let result = try await Tool.run(tool, words)
        #expect(result.errors.unicodeScalars.allSatisfy { $0 == "\n" || (0x20...0x7e).contains($0.value) })
        #expect(result.errors.split(separator: "\n").count == 1)
        #expect(result.errors.contains("2J"))
        #expect(result.status == status, "\(result.errors)")
    }

    @Test("audit-C5: output of -v is not mixed with the progress line")
    func verbose() async throws {
        let text = try await onTerminal(columns: 80, "-v")
        #expect(text.contains("\(Self.clear)sum-client: sent 1 numbers\r\n"))
        #expect(!text.contains("secondsum-client"))
        #expect(text.contains("\n40\r\n") || text.contains("\(Self.clear)40\r\n"))
    }
}
