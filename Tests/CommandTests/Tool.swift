import Foundation
import Synchronization

/// Runs the built tools as a shell would. Everything ends: a tool that hangs is killed.
enum Tool {
    struct Result: Sendable {
        var output: String
        var errors: String
        var status: Int32
    }

    /// The program that takes the place of sum-server, as in `scripts/valgrind`.
    private static let serverStandIn = ProcessInfo.processInfo.environment["SUM_SERVER"]

    /// Seconds after which a tool is killed, and its exit status is 124.
    static let limit = serverStandIn == nil ? Scale.count(60, full: 3600) : 3600

    /// The directory the tools were built into: the one of the tests, or that of the release.
    static let directory =
        Scale.isFull
        ? URL(filePath: #filePath).appending(path: "../../../.build/release").standardizedFileURL
        : URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()

    /// A path in the directory for temporary files where there is nothing yet.
    static func temporaryPath() -> String {
        FileManager.default.temporaryDirectory.appending(path: "sum-\(UUID().uuidString.prefix(8))").path
    }

    /// A tool that ends before it has read all its input does not end the tests with it.
    private static let ignoresBrokenPipes: Void = { signal(SIGPIPE, SIG_IGN) }()

    static func process(_ name: String, _ arguments: [String]) -> Process {
        ignoresBrokenPipes
        let process = Process()
        let standIn = name == "sum-server" ? serverStandIn : nil
        let program = standIn ?? (name.hasPrefix("/") ? name : directory.appending(path: name).path)
        // Foundation hands on the signal mask of the thread it runs on, which blocks most signals. `timeout` counts
        // the time to its SIGKILL (-k) from any signal that it hands on too.
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments =
            ["--default-signal", "/usr/bin/timeout", "--foreground", "-k", "\(limit)", "\(limit)", program]
            + arguments
        if name == "sum-client", !arguments.contains("--connect-timeout") {
            // No test depends on how quickly a busy machine answers.
            process.arguments? += ["--connect-timeout", "\(limit)s"]
        }
        return process
    }

    /// The tool that a process runs, which is `timeout` itself.
    static func child(of id: Int32) -> Int32? {
        let children = try? String(contentsOfFile: "/proc/\(id)/task/\(id)/children", encoding: .utf8)
        return children?.split(separator: " ").first.flatMap { Int32($0) }
    }

    /// - Parameter input: what the tool reads; by default nothing.
    static func run(_ name: String, _ arguments: [String], input: Input = .text("")) async throws -> Result {
        let process = process(name, arguments)
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        var feeder: Pipe?
        var text = ""
        switch input {
        case .text(let given):
            (feeder, text) = (Pipe(), given)
            process.standardInput = feeder
        case .handle(let handle):
            process.standardInput = handle
        }
        try process.run()
        async let fed: Void = offload { [feeder, text] in
            try? feeder?.fileHandleForWriting.write(contentsOf: Data(text.utf8))
            try? feeder?.fileHandleForWriting.close()
        }
        async let outputText = offload {
            String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        }
        async let errorText = offload {
            String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        }
        await fed
        let texts = await (outputText, errorText)
        await offload { process.waitUntilExit() }
        return Result(output: texts.0, errors: texts.1, status: process.terminationStatus)
    }

    enum Input {
        case text(String)
        case handle(FileHandle)
    }

    /// Runs what blocks on a thread of its own.
    static func offload<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: work()) }
        }
    }
}

extension Pipe {
    /// Reads until `text` has come, or the end.
    func waitFor(_ text: String) async {
        await Tool.offload {
            var seen = ""
            while !seen.contains(text), let byte = try? self.fileHandleForReading.read(upToCount: 1),
                !byte.isEmpty
            {
                seen += String(decoding: byte, as: UTF8.self)
            }
        }
    }
}

/// A server that listens, until it is told to stop.
final class ServerProcess: Sendable {
    /// As in `listening on ADDRESS`.
    let address: String
    private let process: Process
    private let errors: Pipe
    /// Clients that `connect` has made.
    let connections = Atomic(0)

    init(_ name: String = "sum-server", _ arguments: [String] = ["--listen", "127.0.0.1:0"]) async throws {
        let process = Tool.process(name, arguments)
        let (output, errors) = (Pipe(), Pipe())
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let line = await Tool.offload {
            var line = Data()
            while let byte = try? output.fileHandleForReading.read(upToCount: 1), byte != Data("\n".utf8),
                !byte.isEmpty
            {
                line += byte
            }
            return String(decoding: line, as: UTF8.self)
        }
        guard let address = line.split(separator: " ").last, line.hasPrefix("listening on ") else {
            process.waitUntilExit()
            throw NotListening(
                reason: String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self))
        }
        (self.process, self.errors, self.address) = (process, errors, String(address))
    }

    struct NotListening: Error {
        var reason: String
    }

    deinit {
        if process.isRunning { process.terminate() }
    }

    /// That of `timeout`, the test's child, which hands signals on to the tool.
    var id: Int32 { process.processIdentifier }

    func signal(_ signal: Int32) {
        kill(id, signal)
    }

    /// Waits until `text` is logged. What was logged before is not given again.
    func waitFor(_ text: String) async {
        await errors.waitFor(text)
    }

    /// Arguments of a server that logs what `waitForCall` waits for.
    static let tracing = ["--listen", "127.0.0.1:0", "--log-level", "trace"]

    /// Waits until one more call of `SumNumbers` has reached the server, which was started with `tracing`.
    func waitForCall() async {
        await waitFor("call begins")
    }

    /// - Returns: the exit status and what was logged.
    func ended() async -> (status: Int32, log: String) {
        let log = await Tool.offload { [errors] in
            String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        }
        await Tool.offload { [process] in process.waitUntilExit() }
        return (process.terminationStatus, log)
    }

    func stop() async -> (status: Int32, log: String) {
        signal(SIGTERM)
        return await ended()
    }
}
