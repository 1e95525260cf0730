import Foundation

/// Runs the built tools as a shell would. A tool that hangs is killed.
enum Tool {
    struct Result: Sendable {
        var output: String
        var errors: String
        var status: Int32
    }

    /// The program that replaces sum-server, as in `scripts/valgrind`.
    private static let serverStandIn = ProcessInfo.processInfo.environment["SUM_SERVER"]

    /// Seconds after which a tool is killed, and its exit status is 124.
    static let limit =
        serverStandIn == nil && !Scale.isSanitized ? Scale.count(300, full: 3600) : 3600

    /// The directory of the built tools: that of the tests, or that of the release build.
    static let directory =
        Scale.isFull
        ? Repository.root.appending(path: ".build/release")
        : URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()

    /// An unused path in the directory for temporary files.
    static func temporaryPath() -> String {
        FileManager.default.temporaryDirectory.appending(path: "sum-\(UUID().uuidString.prefix(8))").path
    }

    /// Keeps the tests alive if a tool ends before it has read all its input.
    private static let ignoresBrokenPipes: Void = { signal(SIGPIPE, SIG_IGN) }()

    static func process(_ name: String, _ arguments: [String]) -> Process {
        ignoresBrokenPipes
        let process = Process()
        let standIn = name == "sum-server" ? serverStandIn : nil
        let program = standIn ?? (name.hasPrefix("/") ? name : directory.appending(path: name).path)
        // Foundation hands on the signal mask of the thread it runs on, which blocks most signals. `timeout` counts
        // the time to its SIGKILL (-k) from any signal that it hands on too. The tools warn of variables that they do not know,
        // such as those of the tests.
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments =
            ["--default-signal"] + ["SUM_SANITIZED", "SUM_SERVER", "SUM_STRESS"].flatMap { ["-u", $0] }
            + ["/usr/bin/timeout", "--foreground", "-k", "\(limit)", "\(limit)", program]
            + arguments
        if name == "sum-client", !arguments.contains("--connect-timeout") {
            // No test depends on the speed of a busy machine.
            process.arguments? += ["--connect-timeout", "\(limit)s"]
        }
        return process
    }

    /// The tool that a process runs, which is `timeout` itself.
    static func child(of id: Int32) -> Int32? {
        let children = try? String(contentsOfFile: "/proc/\(id)/task/\(id)/children", encoding: .utf8)
        return children?.split(separator: " ").first.flatMap { Int32($0) }
    }

    /// Sends a signal to the tool that a process runs. `timeout` would hand it on, but dies itself if it gets one before
    /// it has noticed that its child runs.
    static func send(_ signal: Int32, to process: Process) {
        kill(child(of: process.processIdentifier) ?? process.processIdentifier, signal)
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
        Secrets.expectNone(in: texts.0 + texts.1)
        return Result(output: texts.0, errors: texts.1, status: process.terminationStatus)
    }

    enum Input {
        case text(String)
        case handle(FileHandle)
    }

    /// Runs blocking code on a thread of its own.
    static func offload<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: work()) }
        }
    }
}
