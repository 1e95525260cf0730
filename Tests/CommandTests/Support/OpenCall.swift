import Foundation

/// A client with an open call: some numbers have been sent, more may follow.
final class OpenCall: Sendable {
    let process: Process
    private let input = Pipe()
    private let output = Pipe()
    private let errors = Pipe()

    convenience init(_ target: String, _ arguments: [String] = []) throws {
        try self.init(
            process: Tool.process("sum-client", ["-v", "--target", target] + arguments + ["40", "-"]))
    }

    /// A spread run that has read the number 40, and whose input is still open.
    static func spread(_ addresses: [String], _ options: [String] = []) throws -> OpenCall {
        let targets = addresses.flatMap { ["--target", $0] }
        return try OpenCall(
            process: Tool.process("sum-client", ["--spread"] + targets + options + ["40", "-"]))
    }

    /// - Parameter process: runs sum-client.
    init(process: Process) throws {
        self.process = process
        process.standardInput = input
        process.standardOutput = output
        process.standardError = errors
        try process.run()
    }

    /// Kills the client itself, not the `timeout` that is its parent.
    ///
    /// - Returns: whether there was one.
    func killTool() -> Bool {
        guard let tool = Tool.child(of: process.processIdentifier) else { return false }
        return kill(tool, SIGKILL) == 0
    }

    /// Gives the client more numbers.
    func send(_ text: String) {
        try? input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
    }

    func finish(sending text: String) async -> Tool.Result {
        send(text)
        try? input.fileHandleForWriting.close()
        return await ended()
    }

    func ended() async -> Tool.Result {
        await Tool.offload { [output, errors, process] in
            let output = String(
                decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            let errors = String(
                decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            return Tool.Result(output: output, errors: errors, status: process.terminationStatus)
        }
    }
}
