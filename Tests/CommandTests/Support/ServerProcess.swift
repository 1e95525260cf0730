import Foundation
import ScriptedPeers
import Synchronization

/// A server that listens until it is stopped.
final class ServerProcess: Sendable {
    /// As in `listening on ADDRESS`.
    let address: String
    /// Whether sockets that call or attack the server begin with TLS.
    let speaksTLS: Bool
    private let process: Process
    private let errors: Pipe
    /// Clients that `connect` has made.
    let connections = Atomic(0)

    init(_ name: String = "sum-server", _ arguments: [String] = ["--listen", "127.0.0.1:0"]) async throws {
        speaksTLS = arguments.contains("--tls-cert")
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

    /// The process id of `timeout`, the test's child, which runs the tool.
    var id: Int32 { process.processIdentifier }

    func signal(_ signal: Int32) {
        Tool.send(signal, to: process)
    }

    /// Waits until `text` is logged.
    ///
    /// - Returns: what was logged since the last time, up to `text`.
    @discardableResult
    func waitFor(_ text: String) async -> String {
        await errors.read(until: text)
    }

    /// Waits for the next `count` bytes of the log, which must be ASCII.
    func logged(_ count: Int) async -> String {
        await errors.read(count: count)
    }

    /// Arguments of a server that logs what `waitForCall` waits for.
    static let tracing = ["--listen", "127.0.0.1:0", "--log-level", "trace"]

    /// The same for a server at whose address another is started later.
    static var replaceable: [String] {
        ["--listen", "\(LoopbackNetwork().host(1)):0", "--log-level", "trace"]
    }

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
        Secrets.expectNone(in: log)
        return (process.terminationStatus, log)
    }

    func stop() async -> (status: Int32, log: String) {
        signal(SIGTERM)
        return await ended()
    }
}
