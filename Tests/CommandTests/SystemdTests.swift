import Foundation
import Testing

@testable import SumCore

/// sum-server as a service of systemd: a stand-in passes sockets to it and hears what it says.
@Suite(.enabled(if: ForeignPeer.isBuilt, "make test builds the peers"), .timeLimit(.minutes(10)))
struct SystemdTests {
    private static func manager(
        _ options: [String], running words: [String] = [], log: [String] = []
    ) async throws -> ServerProcess {
        let server = Tool.directory.appending(path: "sum-server").path
        return try await ForeignPeer.server("service_manager.py", options + ["--", server] + words + log)
    }

    @Test("It says when it is ready, reloads, and stops")
    func notifications() async throws {
        let manager = try await Self.manager(
            [], running: ["--listen", "127.0.0.1:0", "--auth-token-file", try CallerTests.tokenFile()])
        await manager.waitFor("told: READY=1 STATUS=serving on 127.0.0.1:")
        manager.signal(SIGHUP)
        await manager.waitFor("told: RELOADING=1 MONOTONIC_USEC=")
        await manager.waitFor("told: READY=1\n")
        manager.signal(SIGTERM)
        let (status, log) = await manager.ended()
        #expect(log.contains("told: STOPPING=1 EXTEND_TIMEOUT_USEC=26000000 STATUS=draining\n"))
        #expect(status == 0)
    }

    @Test("The watchdog is fed")
    func watchdog() async throws {
        let manager = try await Self.manager(
            ["--watchdog", "200000"], running: ["--listen", "127.0.0.1:0"])
        for _ in 1...5 { await manager.waitFor("told: WATCHDOG=1\n") }
        manager.signal(SIGTERM)
        #expect(await manager.ended().status == 0)
    }

    @Test(
        "The watchdog is not fed while an event loop is blocked",
        .enabled(if: geteuid() == 0, "it takes ptrace"))
    func blockedLoop() async throws {
        let manager = try await Self.manager(
            ["--watchdog", "1000000", "--block", "2"], running: ["--listen", "127.0.0.1:0"])
        await manager.waitFor("an event loop is blocked\n")
        await manager.waitFor("expired\n")
        await manager.waitFor("exited: -9\n")
        _ = await manager.ended()
    }

    @Test("It serves on all sockets that are passed, and leaves a socket's file alone")
    func sockets() async throws {
        let path = Tool.temporaryPath()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let manager = try await Self.manager(["--tcp", "grpc", "--unix", "local=\(path)"])
        for target in [manager.address, "unix:\(path)"] {
            let call = try await Tool.run("sum-client", ["--target", target, "40", "2"])
            #expect(call.output == "42\n", "\(call.errors)")
        }
        manager.signal(SIGTERM)
        #expect(await manager.ended().status == 0)
        #expect(FileManager.default.fileExists(atPath: path))
    }

    @Test("Sockets are chosen by name, and those for operators are not for callers")
    func names() async throws {
        let manager = try await Self.manager(
            ["--tcp", "grpc", "--tcp", "metrics"],
            running: ["--listen", "systemd:grpc", "--listen", "127.0.0.1:0"])
        await manager.waitFor("told: READY=1 STATUS=serving on \(manager.address), 127.0.0.1:")
        manager.signal(SIGTERM)
        #expect(await manager.ended().status == 0)
    }

    @Test(
        "Sockets that cannot be served are refused in one line",
        arguments: [
            (
                ["--datagram", "grpc"], [],
                "the socket 'grpc' of the service manager (descriptor 3) cannot carry gRPC: give it with ListenStream= in "
                    + "the socket's unit"
            ),
            (
                ["--accepted", "grpc"], [],
                "the socket 'grpc' of the service manager (descriptor 3) does not listen, but is a connection: set "
                    + "Accept=no in the socket's unit"
            ),
            (
                ["--tcp", "grpc"], ["--port", "0"],
                "systemd has passed 'grpc', which no --listen uses: add --listen systemd, or do without the socket's unit"
            ),
            (
                [], ["--listen", "systemd"],
                "--listen systemd: systemd has passed no socket; is the socket's unit started?"
            ),
        ] as [([String], [String], String)])
    func refusals(_ sockets: [String], _ words: [String], _ reason: String) async throws {
        let manager = try await Self.manager(sockets, running: words)
        let (status, log) = await manager.ended()
        #expect(log == "sum-server: \(reason)\nexited: 64\n")
        #expect(status == 64)
    }

    @Test("With sockets that stay open, no call fails while the server restarts")
    func restarts() async throws {
        let manager = try await Self.manager(["--tcp", "grpc"])
        await manager.waitFor("told: READY=1")
        var configuration = GRPCClient.Configuration()
        configuration.connectTimeout = .seconds(Int64(Tool.limit))
        let calls = CallSeries()
        configuration.observers = [calls]
        let client = GRPCClient(target: try Target(manager.address), configuration: configuration)
        try await calls.run(with: client) {
            for _ in 1...3 {
                let before = calls.answers.values.reduce(0, +)
                while calls.answers.values.reduce(0, +) < before + 100 {
                    try await Task.sleep(for: .milliseconds(1))
                }
                manager.signal(SIGINT)
                await manager.waitFor("exited: 0\n")
                await manager.waitFor("told: READY=1")
            }
        }
        await client.close()
        #expect(calls.failures == [])
        manager.signal(SIGTERM)
        #expect(await manager.ended().status == 0)
    }
}
