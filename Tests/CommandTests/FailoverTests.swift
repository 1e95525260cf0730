import Foundation
import NIOCore
import ScriptedPeers
import Synchronization
import Testing

@testable import SumCore

/// A client of the library that calls several sum-servers, while something happens to them.
@Suite(.timeLimit(.minutes(10))) struct FailoverTests {
    private static func client(
        of target: String, _ policy: LoadBalancingPolicy, _ series: CallSeries,
        _ change: (inout GRPCClient.Configuration) -> Void = { _ in }
    ) throws -> GRPCClient {
        GRPCClient(target: try Target(target), configuration: configuration(policy, series, change))
    }

    private static func configuration(
        _ policy: LoadBalancingPolicy, _ series: CallSeries,
        _ change: (inout GRPCClient.Configuration) -> Void = { _ in }
    ) -> GRPCClient.Configuration {
        var configuration = GRPCClient.Configuration()
        configuration.loadBalancing = policy
        configuration.connectTimeout = .seconds(Int64(Tool.limit))
        configuration.observers = [series]
        change(&configuration)
        return configuration
    }

    private static var retrying: GRPCCallOptions {
        var options = GRPCCallOptions()
        options.maxRetries = 5
        return options
    }

    @Test("abuse-B3: of thousands of calls, each of three servers gets a third")
    func shares() async throws {
        let perTask = Int32(Scale.count(150, full: 1250))
        let fleet = try await ServerFleet(of: 3)
        let series = CallSeries()
        let client = try Self.client(of: fleet.target, .roundRobin, series)
        // Until all are connected, the first get more.
        try await series.run(with: client) {
            for address in fleet.addresses { try await series.wait(for: 1, from: address) }
        }
        let before = series.answers
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for number in 0..<perTask {
                        let sum = try await client.sum(of: [number, 1])
                        #expect(sum == number + 1)
                    }
                }
            }
            try await group.waitForAll()
        }
        await client.close()
        let shares = fleet.addresses.map { (series.answers[$0] ?? 0) - (before[$0] ?? 0) }
        let third = 8 * Int(perTask) / 3
        #expect(shares.reduce(0, +) == 8 * Int(perTask))
        #expect(shares.allSatisfy { abs($0 - third) <= third / 100 + 16 }, "\(shares)")
        #expect(series.failures == [])
    }

    enum Fault: CaseIterable { case killed, drained, stopped, slowed }

    @Test(
        "abuse-B4: a server is killed, drained, stopped for a while, or slowed: with retries no call fails, and it gets calls again",
        arguments: Fault.allCases)
    func fault(_ fault: Fault) async throws {
        var fleet = try await ServerFleet(of: 3)
        let (victim, series) = (fleet.addresses[1], CallSeries())
        let client = try Self.client(of: fleet.target, .roundRobin, series)
        try await series.run(with: client, Self.retrying) {
            for address in fleet.addresses { try await series.wait(for: 10, from: address) }
            switch fault {
            case .killed, .drained:
                try fleet.signal(fault == .killed ? SIGKILL : SIGTERM, to: 1)
                try await series.wait(for: 100)
                try await fleet.restart(1)
            case .stopped:
                // Its calls wait until it goes on.
                try fleet.signal(SIGSTOP, to: 1)
                try await Task.sleep(for: .milliseconds(Int64.random(in: 0...300)))
                try fleet.signal(SIGCONT, to: 1)
            case .slowed:
                try await Self.slow(fleet, 1) { try await series.wait(for: 60, from: victim) }
            }
            for address in fleet.addresses { try await series.wait(for: 10, from: address) }
        }
        await client.close()
        #expect(series.failures == [])
    }

    /// Lets a server run for a fifth of the time while `body` runs.
    private static func slow(
        _ fleet: ServerFleet, _ index: Int, while body: () async throws -> Void
    ) async throws {
        let tool = try #require(Tool.child(of: fleet.servers[index].id))
        let pulse = Task {
            while !Task.isCancelled {
                kill(tool, SIGSTOP)
                try? await Task.sleep(for: .milliseconds(4))
                kill(tool, SIGCONT)
                try? await Task.sleep(for: .milliseconds(1))
            }
        }
        let result: Result<Void, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        pulse.cancel()
        await pulse.value
        try result.get()
    }

    @Test("abuse-B4: with pick_first and retries no call fails while one server after the other is killed")
    func pickFirst() async throws {
        var fleet = try await ServerFleet(of: 3)
        let series = CallSeries()
        let client = try Self.client(of: fleet.target, .pickFirst(), series)
        try await series.run(with: client, Self.retrying) {
            for _ in 0..<4 {
                let before = series.answers
                try await series.wait(for: 50)
                let index = fleet.addresses.firstIndex { series.answers[$0] != before[$0] }
                let victim = try #require(index)
                try fleet.signal(SIGKILL, to: victim)
                try await series.wait(for: 50)
                try await fleet.restart(victim)
            }
        }
        await client.close()
        #expect(series.failures == [])
    }

    @Test("abuse-B5: calls on a server that is stopped end at their deadlines; the others get right sums")
    func stoppedWithDeadline() async throws {
        let fleet = try await ServerFleet(of: 3)
        let series = CallSeries()
        let client = try Self.client(of: fleet.target, .roundRobin, series)
        var options = Self.retrying
        options.timeout = .milliseconds(300)
        try await series.run(with: client, options) {
            for address in fleet.addresses { try await series.wait(for: 10, from: address) }
            try fleet.signal(SIGSTOP, to: 1)
            while series.failures.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
            try await series.wait(for: 20, from: fleet.addresses[0])
            try await series.wait(for: 20, from: fleet.addresses[2])
            try fleet.signal(SIGCONT, to: 1)
            try await series.wait(for: 20, from: fleet.addresses[1])
        }
        await client.close()
        #expect(series.failures.allSatisfy { $0.code == .deadlineExceeded }, "\(series.failures)")
    }

    @Test("abuse-B5: with keepalive, calls on a server that is stopped go to another")
    func stoppedWithKeepalive() async throws {
        let fleet = try await ServerFleet(of: 3)
        let series = CallSeries()
        let client = try Self.client(of: fleet.target, .roundRobin, series) {
            $0.keepaliveTime = .seconds(10)
            $0.keepaliveTimeout = .seconds(1)
        }
        try await series.run(with: client, Self.retrying) {
            for address in fleet.addresses { try await series.wait(for: 10, from: address) }
            try fleet.signal(SIGSTOP, to: 1)
            // Each task soon waits for the server that is stopped, until its connection is given up.
            while !series.losses.contains(where: { $0.contains("PING") }) {
                try await Task.sleep(for: .milliseconds(5))
            }
            try await series.wait(for: 100)
            try fleet.signal(SIGCONT, to: 1)
            for address in fleet.addresses { try await series.wait(for: 10, from: address) }
        }
        await client.close()
        #expect(series.failures == [])
    }

    /// A name whose addresses a test changes.
    private final class Name: Resolver {
        private let known: Mutex<[String]>
        private let port: Int
        let isStatic = false

        init(_ hosts: [String], port: Int) {
            known = Mutex(hosts)
            self.port = port
        }

        func set(_ hosts: [String]) {
            known.withLock { $0 = hosts }
        }

        func resolve() async -> Resolution {
            let addresses = known.withLock { $0 }.compactMap { host in
                (try? SocketAddress(ipAddress: host, port: port)).map {
                    ServerAddress(socketAddress: $0, description: "\(host):\(port)")
                }
            }
            return Resolution(addresses: addresses)
        }
    }

    @Test(
        "abuse-B6: servers that come into a name get calls once a connection has reached --max-connection-age, and no call fails",
        arguments: [LoadBalancingPolicy.roundRobin, .pickFirst(shuffled: true)])
    func scaleUp(_ policy: LoadBalancingPolicy) async throws {
        // Longer than the second before which a lost connection counts as a failed attempt.
        let fleet = try await ServerFleet(of: 3, ["--max-connection-age", "2s"])
        let series = CallSeries()
        let port = try #require(fleet.servers[0].port.flatMap { Int($0) })
        let name = Name([fleet.hosts[0]], port: port)
        let client = GRPCClient(
            target: try Target("sum.test:\(port)"), configuration: Self.configuration(policy, series),
            resolver: name)
        try await series.run(with: client, Self.retrying) {
            try await series.wait(for: 10, from: fleet.addresses[0])
            if policy == .roundRobin {
                name.set(fleet.hosts)
                for address in fleet.addresses { try await series.wait(for: 10, from: address) }
            } else {
                name.set(Array(fleet.hosts[1...]))
                while series.answers.count == 1 { try await series.wait(for: 1) }
            }
        }
        await client.close()
        #expect(series.failures == [])
    }
}
