import Foundation
import Testing

/// gRPC C++ and Python's grpcio at the other end. `make test` builds them; `swift test` alone does without.
@Suite(.enabled(if: ForeignPeer.isBuilt, "make test builds the foreign peers"), .timeLimit(.minutes(3)))
struct ForeignPeerTests {
    static let sums: [([Int], String)] = [
        ([], "0"), ([1, 2, 3], "6"), ([0, -1, 2_147_483_647, -2_147_483_648, 300, 70_000], "70298"),
        (Array(1...20_000), "200010000"),
    ]

    @Test("S8: their clients get right sums from our server", arguments: ["cpp-client", "client.py"])
    func foreignClients(_ client: String) async throws {
        let server = try await ServerProcess()
        for (numbers, sum) in Self.sums {
            #expect(try await ForeignPeer.run(client, [server.address], numbers) == "\(sum)\n")
        }
        let text = "the sum 2147483648 of 2 numbers does not fit int32\n"
        #expect(try await ForeignPeer.run(client, [server.address], [2_147_483_647, 1]).hasSuffix(text))
    }

    @Test("S8: our client gets right sums from their servers", arguments: ["cpp-server", "server.py"])
    func foreignServers(_ name: String) async throws {
        let server = try await ForeignPeer.server(name)
        for (numbers, sum) in Self.sums {
            let input = numbers.map { "\($0)\n" }.joined()
            let result = try await Tool.run("sum-client", ["--target", server.address], input: .text(input))
            #expect(result.output == "\(sum)\n")
        }
    }

    @Test("S14: grpcio's deadline")
    func deadline() async throws {
        let server = try await ServerProcess()
        let output = try await ForeignPeer.run("client.py", [server.address, "0.2", "1"], Array(1...5))
        #expect(output.hasPrefix("DEADLINE_EXCEEDED"))
    }

    @Test("A5, K1, K18: an early error is shown at once, escaped, while the input is still open")
    func earlyError() async throws {
        let server = try await ForeignPeer.server("server.py")
        let open = Pipe()
        let result = try await Tool.run(
            "sum-client", ["--target", server.address, "-1000001", "-"],
            input: .handle(open.fileHandleForReading))
        #expect(result.output.isEmpty)
        #expect(result.errors == "sum-client: RESOURCE_EXHAUSTED: enough: 100 %\\u{1B}\n")
        #expect(result.status == 72)
        try open.fileHandleForWriting.close()
    }

    @Test("K2: a sum that comes before all numbers were sent is none")
    func earlySum() async throws {
        let server = try await ForeignPeer.server("server.py")
        let open = Pipe()
        let result = try await Tool.run(
            "sum-client", ["--target", server.address, "-1000002", "-"],
            input: .handle(open.fileHandleForReading))
        #expect(result.output.isEmpty)
        #expect(
            result.errors == "sum-client: INTERNAL: the server answered before everything was sent to it\n")
        #expect(result.status == 77)
        try open.fileHandleForWriting.close()
    }

    @Test(
        "V1, V2: grpcio's health package asks",
        arguments: [
            ("", "SERVING\nSERVING\n"), ("tutorial.NumberService", "SERVING\nSERVING\n"),
            ("x.Y", "NOT_FOUND\nSERVICE_UNKNOWN\n"),
        ])
    func health(_ service: String, _ output: String) async throws {
        let server = try await ServerProcess()
        #expect(try await ForeignPeer.run("health.py", [server.address, service], []) == output)
        #expect(await server.stop().status == 0)
    }

    @Test("V2, V4: grpcio's health package watches a server stop")
    func healthAtTheEnd() async throws {
        let server = try await ServerProcess()
        let output = try await ForeignPeer.run("health.py", [server.address, "", "\(server.id)"], [])
        #expect(output == "SERVING\nSERVING\nNOT_SERVING\nUNAVAILABLE\n")
        #expect(await server.ended().status == 0)
    }

    @Test(
        "V3, V5: grpcio's reflection package finds the services, and calls them with messages made from that")
    func reflection() async throws {
        let server = try await ServerProcess()
        let services = """
            grpc.health.v1.Health grpc.reflection.v1.ServerReflection \
            grpc.reflection.v1alpha.ServerReflection tutorial.NumberService
            """
        #expect(
            try await ForeignPeer.run("reflection.py", [server.address], Array(-3...1000)) == """
                v1alpha: \(services)
                tutorial.NumberService.SumNumbers is in tutorial.proto
                grpc.health.v1.HealthCheckResponse.ServingStatus is in grpc/health/v1/health.proto
                x.Y is not known
                sum: 500494
                health: ''=1 'tutorial.NumberService'=1
                v1: \(services)
                files: 1
                error: 5 there is no type 'x.Y' here

                """)
    }

    @Test("V5: --no-reflection leaves it out")
    func noReflection() async throws {
        let server = try await ServerProcess("sum-server", ["--listen", "127.0.0.1:0", "--no-reflection"])
        #expect(try await ForeignPeer.run("reflection.py", [server.address], []) == "UNIMPLEMENTED\n")
    }

    @Test("D3: a server that is silent does not outlast the deadline")
    func silence() async throws {
        let server = try await ForeignPeer.server("server.py")
        let result = try await Tool.run(
            "sum-client", ["--target", server.address, "--timeout", "200ms", "-1000003"])
        #expect(result.status == 68)
    }
}

enum ForeignPeer {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")
        .standardizedFileURL
    private static let built = root.appending(path: ".build/foreign")
    private static let scripts = root.appending(path: "Tests/CommandTests/Foreign")

    static let isBuilt = FileManager.default.fileExists(atPath: built.appending(path: "done").path)

    private static func command(_ name: String, _ arguments: [String]) -> (String, [String]) {
        guard name.hasSuffix(".py") else { return (built.appending(path: name).path, arguments) }
        let script = scripts.appending(path: name).path
        // Debian's Python, for which the packages are installed.
        return (
            "/usr/bin/env",
            ["PYTHONPATH=\(built.path)/python", "PYTHONDONTWRITEBYTECODE=1", "/usr/bin/python3", script]
                + arguments
        )
    }

    static func run(_ name: String, _ arguments: [String], _ numbers: [Int]) async throws -> String {
        let (program, words) = command(name, arguments)
        return try await Tool.run(program, words, input: .text(numbers.map { "\($0)\n" }.joined())).output
    }

    static func server(_ name: String) async throws -> ServerProcess {
        let (program, words) = command(name, [])
        return try await ServerProcess(program, words)
    }
}
