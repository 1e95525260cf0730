import Foundation
import SwiftProtobuf
import Testing

@testable import SumCore

private typealias Number = Tutorial_NumberRequest
private typealias Sum = Tutorial_NumberResponse

/// gRPC C++ and Python's grpcio as clients of our server. `make test` builds them; `swift test` alone skips these
/// tests.
@Suite(.enabled(if: ForeignPeer.isBuilt, "make test builds the foreign peers"), .timeLimit(.minutes(10)))
struct ForeignClientTests {
    @Test("Foreign clients get right sums from our server", arguments: ["cpp-client", "client.py"])
    func foreignClients(_ client: String) async throws {
        let server = try await ServerProcess()
        for (numbers, sum) in ForeignPeer.sums {
            #expect(try await ForeignPeer.run(client, [server.address], numbers) == "\(sum)\n")
        }
        let text = "the sum 2147483648 of 2 numbers does not fit int32\n"
        #expect(try await ForeignPeer.run(client, [server.address], [2_147_483_647, 1]).hasSuffix(text))
    }

    @Test("grpc-N4: grpcio reads the exact sum from the details of OUT_OF_RANGE")
    func exactSum() async throws {
        let server = try await ServerProcess()
        let output = try await ForeignPeer.run(
            "client.py", [server.address, "--error-info"], [2_147_483_647, 2_147_483_647, -5])
        #expect(
            output == """
                OUT_OF_RANGE the sum 4294967289 of 3 numbers does not fit int32
                SUM_OUT_OF_RANGE tutorial.NumberService numbers=3 sum=4294967289

                """)
    }

    @Test("abuse-G6: grpcio compresses numbers", arguments: ["Gzip", "Deflate"])
    func compression(_ name: String) async throws {
        let server = try await ServerProcess()
        for (numbers, sum) in ForeignPeer.sums {
            let arguments = [server.address, "--compression=\(name)"]
            #expect(try await ForeignPeer.run("client.py", arguments, numbers) == "\(sum)\n")
        }
    }

    @Test("grpc-S14: grpcio's deadline")
    func deadline() async throws {
        let server = try await ServerProcess()
        let output = try await ForeignPeer.run(
            "client.py", [server.address, "--timeout=0.2", "--pause=1"], Array(1...5))
        #expect(output.hasPrefix("DEADLINE_EXCEEDED"))
    }

    @Test("grpc-S15: grpcio cancels")
    func cancel() async throws {
        let server = try await ServerProcess(
            "sum-server", ["--listen", "127.0.0.1:0", "--log-level", "debug"])
        let output = try await ForeignPeer.run("client.py", [server.address, "--cancel"], [1, 2, 3])
        #expect(output == "CANCELLED\n")
        let (status, log) = await server.stop()
        #expect(status == 0)
        #expect(log.contains("status=CANCELLED"))
    }

    @Test(
        "grpc-V1, grpc-V2: grpcio's health package calls Check and Watch",
        arguments: [
            ("", "SERVING\nSERVING\n"), ("tutorial.NumberService", "SERVING\nSERVING\n"),
            ("x.Y", "NOT_FOUND\nSERVICE_UNKNOWN\n"),
        ])
    func health(_ service: String, _ output: String) async throws {
        let server = try await ServerProcess()
        #expect(try await ForeignPeer.run("health.py", [server.address, service], []) == output)
        #expect(await server.stop().status == 0)
    }

    @Test("grpc-V2, grpc-V4: grpcio's health package watches a server stop")
    func healthAtTheEnd() async throws {
        let server = try await ServerProcess()
        let output = try await ForeignPeer.run("health.py", [server.address, "", "\(server.id)"], [])
        #expect(output == "SERVING\nSERVING\nNOT_SERVING\nUNAVAILABLE\n")
        #expect(await server.ended().status == 0)
    }

    @Test(
        "grpc-V3, grpc-V5: grpcio's reflection package finds the services, and calls them with messages built from it"
    )
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

    @Test("grpc-V5: --no-reflection turns reflection off")
    func noReflection() async throws {
        let server = try await ServerProcess("sum-server", ["--listen", "127.0.0.1:0", "--no-reflection"])
        #expect(try await ForeignPeer.run("reflection.py", [server.address], []) == "UNIMPLEMENTED\n")
    }

    @Test(
        "grpc-A17, grpc-S14, grpc-S15, audit-P2: the four kinds of call, with metadata, details, deadline and cancellation"
    )
    func kinds() async throws {
        let methods: [GRPCMethod] = [
            .unary(path: "/t.T/Double") { (request: Number, call) in
                call.setTrailers(call.context.metadata)
                return Sum.with { $0.sum = request.num * 2 }
            },
            .clientStreaming(path: "/t.T/Largest") { (requests: GRPCRequests<Number>, _) in
                var largest = Int32.min
                for try await request in requests { largest = max(largest, request.num) }
                return Sum.with { [largest] in $0.sum = largest }
            },
            .serverStreaming(path: "/t.T/CountTo") {
                (request: Number, responses: GRPCResponses<Sum>, call) in
                try call.setResponseMetadata(call.context.metadata)
                for number in 1...request.num { try await responses.send(Sum.with { $0.sum = number }) }
            },
            .bidirectionalStreaming(path: "/t.T/Running") {
                (requests: GRPCRequests<Number>, responses: GRPCResponses<Sum>, call) in
                call.setTrailers(call.context.metadata)
                var total: Int32 = 0
                for try await request in requests {
                    total += request.num
                    try await responses.send(Sum.with { [total] in $0.sum = total })
                }
            },
            .unary(path: "/t.T/Refuse") { (_: Number, _) -> Sum in
                throw GRPCStatus(code: .notFound, message: "no: \u{fc}", details: [8, 5])
            },
            .bidirectionalStreaming(path: "/t.T/Greet") {
                (requests: GRPCRequests<Number>, responses: GRPCResponses<Sum>, call) in
                try call.setResponseMetadata(call.context.metadata)
                try call.sendResponseMetadata()
                for try await request in requests {
                    try await responses.send(Sum.with { $0.sum = request.num })
                }
            },
            .unary(path: "/t.T/Wait") { (_: Number, _) -> Sum in
                try await Task.sleep(for: .seconds(3600))
                return Sum()
            },
        ]
        let server = try await GRPCServer.start(listeningOn: [.host("127.0.0.1", port: 0)], methods: methods)
        let output = try await ForeignPeer.run("kinds.py", [server.addresses[0].description], [])
        #expect(
            output == """
                unary 6 ('k', 'a')
                client 3
                server [1, 2, 3] {'k': 'b', 'x-bin': b'\\x00\\xff'} {}
                both [1, 3, 6] {} {'k': 'b', 'x-bin': b'\\x00\\xff'}
                refused NOT_FOUND no: \u{fc} b'\\x08\\x05'
                cancelled 1 True CANCELLED
                greeted {'k': 'b', 'x-bin': b'\\x00\\xff'} 3
                late DEADLINE_EXCEEDED

                """)
        await server.shutdown(within: .seconds(60))
    }
}
