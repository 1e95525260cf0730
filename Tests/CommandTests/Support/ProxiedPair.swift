import Foundation
import ScriptedPeers
import SumCore

/// A proxy with a shipped configuration, but with addresses of the test's own, in front of two servers.
final class ProxiedPair: Sendable {
    /// Where clients connect.
    let target: String
    /// Where the servers must listen.
    let addresses: [ListenAddress]
    private let directory: URL
    private let process: Process

    convenience init(_ proxy: Proxy) async throws {
        let directory = try Self.makeDirectory()
        let paths = ["front", "a", "b"].map { directory.appending(path: $0).path }
        var text = try String(contentsOf: proxy.configuration, encoding: .utf8)
        try text.replace(proxy.addresses, by: paths.map(proxy.socket))
        try await self.init(
            proxy, text, directory, addresses: paths.dropFirst().map { .unix(path: $0) })
    }

    /// - Parameters:
    ///   - configuration: a shipped one for TLS.
    ///   - servers: the addresses of two servers that are running.
    convenience init(_ proxy: Proxy, tls configuration: String, servers: [String]) async throws {
        let directory = try Self.makeDirectory()
        var text = configuration
        let front = proxy.socket(directory.appending(path: "front").path)
        try text.replace(proxy.addresses, by: [front] + servers.map(proxy.host))
        let bundle = try ["good.pem", "good-key.pem"].map {
            try String(contentsOfFile: TestCertificates.path($0), encoding: .utf8)
        }
        let bundlePath = directory.appending(path: "bundle.pem").path
        try Data(bundle.joined().utf8).write(to: URL(filePath: bundlePath))
        for (name, path) in [
            ("proxy-bundle", bundlePath), ("proxy-key", try TestCertificates.path("good-key.pem")),
            ("proxy", try TestCertificates.path("good.pem")), ("ca", try TestCertificates.path("ca.pem")),
        ] {
            text = text.replacingOccurrences(of: "/etc/sum/tls/\(name).pem", with: path)
        }
        text = text.replacingOccurrences(of: "sum.internal", with: "localhost")
        try await self.init(
            proxy, text, directory, addresses: try servers.map { try ListenAddress($0) })
    }

    private static func makeDirectory() throws -> URL {
        let directory = FileManager.default.temporaryDirectory.appending(
            path: "sum-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        return directory
    }

    private init(
        _ proxy: Proxy, _ configuration: String, _ directory: URL, addresses: [ListenAddress]
    ) async throws {
        var text = configuration
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
        target = "unix:\(directory.appending(path: "front").path)"
        self.addresses = addresses
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

extension String {
    /// Replaces what must be there.
    fileprivate mutating func replace(_ old: [String], by new: [String]) throws {
        for (old, new) in zip(old, new) {
            guard contains(old) else { throw ProxiedPair.BadConfiguration(reason: "without \(old)") }
            self = replacingOccurrences(of: old, with: new)
        }
    }
}
