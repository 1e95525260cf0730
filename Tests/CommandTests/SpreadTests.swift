import Foundation
import ScriptedPeers
import Testing

/// One input over several servers.
@Suite(.timeLimit(.minutes(10))) struct SpreadTests {
    private static func servers(_ count: Int, _ arguments: [String] = []) async throws -> [ServerProcess] {
        var servers: [ServerProcess] = []
        for number in 1...count {
            servers.append(
                try await ServerProcess("sum-server", ["--listen", "127.0.0.\(number):0"] + arguments))
        }
        return servers
    }

    private static func targets(_ addresses: [String]) -> [String] { addresses.flatMap { ["--target", $0] } }

    private static func spread(
        _ addresses: [String], _ options: [String] = [], _ numbers: some Sequence<Int32>
    ) async throws -> Tool.Result {
        let text = numbers.map { "\($0)" }.joined(separator: "\n")
        return try await Tool.run(
            "sum-client", ["--spread"] + targets(addresses) + options, input: .text(text))
    }

    @Test(
        "The sum of many chunks over three servers is that of one call, and --json tells who has added what")
    func sums() async throws {
        let servers = try await Self.servers(3)
        let numbers = (0..<20_000).map { _ in Int32.random(in: -10_000...10_000) }
        let sum = numbers.reduce(0) { $0 + Int($1) }
        let result = try await Self.spread(servers.map(\.address), ["--chunk", "1000", "--json"], numbers)
        #expect(result.errors == "")
        let json = try #require(
            try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
        #expect(json["sum"] as? Int == sum)
        #expect(json["numbers"] as? Int == numbers.count)
        let shares = try #require(json["servers"] as? [[String: Any]])
        #expect(shares.map { $0["address"] as? String } == servers.map(\.address))
        #expect(shares.compactMap { $0["numbers"] as? Int }.reduce(0, +) == numbers.count)
        #expect(shares.compactMap { $0["calls"] as? Int }.reduce(0, +) == json["calls"] as? Int)
        #expect((json["calls"] as? Int ?? 0) >= 20)
    }

    @Test("No numbers are the sum 0, and one number over one server is itself")
    func small() async throws {
        let server = try await ServerProcess()
        #expect(try await Self.spread([server.address], [], [Int32]()).output == "0\n")
        #expect(try await Self.spread([server.address], [], [-7]).output == "-7\n")
    }

    enum Kind: CaseIterable { case exact, wrapping, grpcio, grpcCPP }

    @Test("Parts that do not fit int32 do not matter if the whole does", arguments: Kind.allCases)
    func parts(_ kind: Kind) async throws {
        let servers: [ServerProcess]
        switch kind {
        case .exact: servers = try await Self.servers(2)
        case .wrapping: servers = try await Self.servers(2, ["--overflow", "wrap"])
        // It fails with UNKNOWN, and does not tell the sum.
        case .grpcio: servers = [try await ForeignPeer.server("server.py")]
        // It wraps.
        case .grpcCPP: servers = [try await ForeignPeer.server("cpp-server")]
        }
        let numbers = Array(repeating: Int32.max, count: 40) + Array(repeating: -Int32.max, count: 40) + [12]
        let result = try await Self.spread(servers.map(\.address), ["--chunk", "16"], numbers)
        #expect(result.errors == "")
        #expect(result.output == "12\n")
    }

    @Test("A whole that does not fit is refused in the words of a server, or wrapped by servers that wrap")
    func whole() async throws {
        let numbers = Array(repeating: Int32.max, count: 100)
        let exact = try await Self.servers(2)
        let refused = try await Self.spread(exact.map(\.address), ["--chunk", "7"], numbers)
        let alone = try await Tool.run(
            "sum-client", ["--target", exact[0].address],
            input: .text(numbers.map { "\($0)" }.joined(separator: " ")))
        #expect(refused.output == "")
        #expect(refused.errors == alone.errors)
        #expect(refused.status == 75)
        let wrapping = try await Self.servers(2, ["--overflow", "wrap"])
        let wrapped = try await Self.spread(wrapping.map(\.address), ["--chunk", "7"], numbers)
        #expect(wrapped.output == "\(numbers.reduce(0, &+))\n")
    }

    @Test("abuse-B7: servers that treat overflow differently are not mixed")
    func mixed() async throws {
        let (exact, wrapping) = (
            try await Self.servers(1), try await Self.servers(1, ["--overflow", "wrap"])
        )
        // Enough chunks that both servers are asked before the input is added.
        let call = try OpenCall.spread([exact[0].address, wrapping[0].address], ["--chunk", "1"])
        let result = await call.ended()
        #expect(result.output == "")
        #expect(
            result.errors.hasSuffix(
                "sum-client: FAILED_PRECONDITION: \(wrapping[0].address) wraps sums that do not fit int32, and "
                    + "\(exact[0].address) refuses them: use servers of one kind\n"))
        #expect(result.status == 73)
    }

    @Test("A word that is no number ends the run, and the first in the input is the one told")
    func badNumber() async throws {
        let servers = try await Self.servers(2)
        let text = Array(repeating: "1", count: 5_000).joined(separator: "\n") + "\nfirst\nsecond\n"
        let result = try await Tool.run(
            "sum-client", ["--spread", "--chunk", "100"] + Self.targets(servers.map(\.address)),
            input: .text(text))
        #expect(result.output == "")
        #expect(result.errors == "sum-client: stdin:5001:1: not an int32: 'first'\n")
        #expect(result.status == 2)
    }

    @Test("A server that is not there is done without; if none is, each is named with its reason")
    func absent() async throws {
        let server = try await ServerProcess()
        let without = try await Self.spread(["127.0.0.1:1", server.address], [], [1, 2, 3])
        #expect(without.output == "6\n")
        let none = try await Self.spread(
            ["127.0.0.1:1", "127.0.0.2:1"], ["--connect-timeout", "5s"], [1])
        #expect(none.status == 78)
        #expect(
            none.errors
                == "sum-client: UNAVAILABLE: cannot connect to 127.0.0.1:1: Connection refused; "
                + "cannot connect to 127.0.0.2:1: Connection refused\n")
    }

    @Test("Numbers of a slow pipe leave before the input ends")
    func slowPipe() async throws {
        let server = try await ServerProcess("sum-server", ServerProcess.tracing)
        let call = try OpenCall.spread([server.address])
        // One call finds out what the server does with overflow; the number 40 is in the next.
        await server.waitForCall()
        await server.waitForCall()
        #expect(await call.finish(sending: " 2\n").output == "42\n")
    }

    @Test("The deadline is that of the whole run")
    func deadline() async throws {
        let server = try await ServerProcess()
        let call = try OpenCall.spread([server.address], ["--timeout", "300ms"])
        let result = await call.ended()
        #expect(result.output == "")
        #expect(result.status == 68)
        // A busy machine may not have connected by then.
        let line = "sum-client: DEADLINE_EXCEEDED: the deadline has passed"
        #expect(["\(line)\n", "\(line) while connecting to \(server.address)\n"].contains(result.errors))
    }

    @Test("An interrupt ends the run")
    func interrupt() async throws {
        let server = try await ServerProcess("sum-server", ServerProcess.tracing)
        let call = try OpenCall.spread([server.address])
        await server.waitForCall()
        Tool.send(SIGINT, to: call.process)
        let result = await call.ended()
        #expect(result.output == "")
        #expect(result.status == 130)
    }

    @Test("abuse-B7: a server that is stopped with chunks in hand does not hold up the sum")
    func stopped() async throws {
        let servers = try await Self.servers(2)
        let call = try OpenCall.spread(servers.map(\.address), ["--chunk", "1"])
        let stopped = try #require(Tool.child(of: servers[0].id))
        kill(stopped, SIGSTOP)
        let result = await call.finish(sending: Array(repeating: " 1", count: 100).joined())
        kill(stopped, SIGCONT)
        #expect(result.output == "140\n")
    }

    @Test("abuse-B7: servers that are killed at random moments cost no sum")
    func killed() async throws {
        let numbers = (0..<200_000).map { Int32($0 % 1000 - 300) }
        let sum = numbers.reduce(0) { $0 + Int($1) }
        let text = numbers.map { "\($0)" }.joined(separator: "\n")
        for _ in 0..<Scale.count(10, full: 200) {
            let servers = try await Self.servers(3)
            let options = ["--chunk", "2000"] + Self.targets(servers.map(\.address))
            async let result = Tool.run("sum-client", ["--spread"] + options, input: .text(text))
            try await Task.sleep(for: .microseconds(Int64.random(in: 0...300_000)))
            if let victim = servers.randomElement().flatMap({ Tool.child(of: $0.id) }) {
                kill(victim, SIGKILL)
            }
            let output = try await result
            #expect(output.output == "\(sum)\n", "\(output.errors)")
        }
    }

    @Test(
        "Options that do not belong together are refused",
        arguments: [
            (["--chunk", "5"], "--chunk requires --spread"),
            (["--spread", "--chunk", "0"], "number from 1 to 16777216"),
            (["--spread", "--lb", "round_robin"], "--spread uses all servers"),
            (["--spread", "--health"], "--health checks one server"),
            (["--lb", "random"], "--lb"),
            (["--lb", "round_robin", "--shuffle"], "--shuffle has no effect"),
        ])
    func usage(_ options: [String], _ reason: String) async throws {
        let result = try await Tool.run("sum-client", options + ["1"])
        #expect(result.status == 64)
        #expect(result.errors.contains(reason), "\(result.errors)")
    }
}
