import Foundation
import SumCore

/// A proxy with the shipped configuration, but with Unix domain sockets as addresses, in front of two servers.
final class ProxiedPair: Sendable {
    /// Where clients connect.
    let target: String
    /// Where the servers must listen.
    let addresses: [ListenAddress]
    private let directory: URL
    private let process: Process

    init(_ proxy: Proxy) async throws {
        let directory = FileManager.default.temporaryDirectory.appending(
            path: "sum-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let paths = ["front", "a", "b"].map { directory.appending(path: $0).path }
        var text = try String(contentsOf: proxy.configuration, encoding: .utf8)
        for (address, path) in zip(proxy.addresses, paths) {
            guard text.contains(address) else { throw BadConfiguration(reason: "without \(address)") }
            text = text.replacingOccurrences(of: address, with: proxy.socket(path))
        }
        if !Scale.isFull {
            // On a machine that is busy with other tests, servers may need longer than any proxy would wait.
            for limit in ["connect_timeout: 2s", "timeout: 1s"] {
                text = text.replacingOccurrences(
                    of: " \(limit)\n", with: " \(limit.prefix { $0 != " " }) 60s\n")
            }
        }
        for (name, content) in [(proxy.copy, text), ("main.conf", Proxy.nginxMain)] {
            try Data(content.utf8).write(to: directory.appending(path: name))
        }
        let arguments = proxy.arguments(directory)
        let check = try await Tool.run(proxy.program, arguments + proxy.checkArguments)
        guard check.status == 0 else { throw BadConfiguration(reason: check.output + check.errors) }
        process = Tool.process(proxy.program, arguments)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        self.directory = directory
        target = "unix:\(paths[0])"
        addresses = paths.dropFirst().map { .unix(path: $0) }
    }

    struct BadConfiguration: Error {
        var reason: String
    }

    deinit {
        if process.isRunning {
            process.terminate()
            process.waitUntilExit()
        }
        try? FileManager.default.removeItem(at: directory)
    }

    /// Starts the proxy. Clients may connect at once, because they retry. Servers that are already running get calls
    /// from the start; HAProxy checks for others only once per second.
    func start() throws {
        try process.run()
    }

    /// Starts one of the two servers.
    func server(_ index: Int, _ arguments: [String] = []) async throws -> ServerProcess {
        try await ServerProcess(
            "sum-server", ["--listen", "\(addresses[index])", "--log-level", "debug"] + arguments)
    }

    func client(_ arguments: [String], input: Tool.Input = .text("")) async throws -> Tool.Result {
        try await Tool.run("sum-client", ["--target", target] + arguments, input: input)
    }
}
