import Foundation
import Testing

/// gRPC C++ and Python's grpcio as servers for our client.
@Suite(.enabled(if: ForeignPeer.isBuilt, "make test builds the foreign peers"), .timeLimit(.minutes(10)))
struct ForeignServerTests {
    @Test("Our client gets right sums from foreign servers", arguments: ["cpp-server", "server.py"])
    func foreignServers(_ name: String) async throws {
        let server = try await ForeignPeer.server(name)
        for (numbers, sum) in ForeignPeer.sums {
            let input = numbers.map { "\($0)\n" }.joined()
            let result = try await Tool.run("sum-client", ["--target", server.address], input: .text(input))
            #expect(result.output == "\(sum)\n")
        }
    }

    @Test(
        "grpc-A5, abuse-K1, abuse-K18: an early error is shown at once, escaped, while the input is still open"
    )
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

    @Test("abuse-K2: a sum that arrives before all numbers were sent does not count")
    func earlySum() async throws {
        let server = try await ForeignPeer.server("server.py")
        let open = Pipe()
        let result = try await Tool.run(
            "sum-client", ["--target", server.address, "-1000002", "-"],
            input: .handle(open.fileHandleForReading))
        #expect(result.output.isEmpty)
        #expect(
            result.errors == "sum-client: INTERNAL: the server responded before the whole request was sent\n")
        #expect(result.status == 77)
        try open.fileHandleForWriting.close()
    }

    @Test("abuse-D3: a silent server does not outlast the deadline")
    func silence() async throws {
        let server = try await ForeignPeer.server("server.py")
        let result = try await Tool.run(
            "sum-client", ["--target", server.address, "--timeout", "200ms", "-1000003"])
        #expect(result.status == 68)
    }

    private func run(_ first: Int, _ arguments: [String] = []) async throws -> Tool.Result {
        let server = try await ForeignPeer.server("server.py")
        return try await Tool.run(
            "sum-client", ["--target", server.address] + arguments + ["\(first)", "5"])
    }

    @Test("grpc-A17: a status with details is shown with them")
    func richError() async throws {
        let result = try await run(-1_000_004)
        #expect(result.output.isEmpty)
        #expect(
            result.errors
                == #"sum-client: FAILED_PRECONDITION: rest (google.rpc.ErrorInfo { reason: "TIRED" domain: "example.com" })"#
                + "\n"
        )
        #expect(result.status == 73)
    }

    @Test("grpc-A15: a compressed response")
    func compressedReply() async throws {
        #expect(try await run(-1_000_005).output == "5\n")
    }

    @Test("abuse-G6: numbers that our client has compressed", arguments: ["deflate", "gzip"])
    func compression(_ name: String) async throws {
        let server = try await ForeignPeer.server("server.py")
        for (numbers, sum) in ForeignPeer.sums {
            let input = numbers.map { "\($0)\n" }.joined()
            let result = try await Tool.run(
                "sum-client", ["--target", server.address, "--compress", name], input: .text(input))
            #expect(result.output == "\(sum)\n")
        }
    }

    @Test("The client waits for a slow server")
    func slow() async throws {
        #expect(try await run(-1_000_006).output == "5\n")
    }

    @Test("grpc-R4, grpc-R10: the metadata and the user agent that grpcio sees")
    func metadata() async throws {
        let arguments = [
            "--metadata", "k: a", "--metadata", "K:b", "--metadata", "x-bin: AP8", "--user-agent", "job/1.2",
        ]
        let result = try await run(-1_000_007, arguments)
        #expect(
            result.errors.hasPrefix("sum-client: ABORTED: k='a' k='b' user-agent='job/1.2 grpc-swift-sum/"))
        #expect(result.errors.hasSuffix(" x-bin=b'\\x00\\xff'\n"))
    }
}
