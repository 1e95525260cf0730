import Foundation
import OddStubs
import SumCore
import SwiftProtobuf
import Testing

/// Generated services and clients, with Python's grpcio at the other end.
@Suite(.enabled(if: ForeignPeer.isBuilt, "make test builds the peers"), .timeLimit(.minutes(10)))
struct StubPeerTests {
    private static let protos = Repository.root.appending(path: "Tests/Stubs/Protos").path

    @Test("grpcio calls a generated service")
    func service() async throws {
        let server = try await GRPCServer.start(
            listeningOn: [.host("127.0.0.1", port: 0)], methods: FourKindsService().methods)
        let output = try await ForeignPeer.run(
            "stubs.py", [Self.protos, "call", server.addresses[0].description], [])
        #expect(
            output == """
                unary 42
                client 55
                server [1, 2, 3]
                both [1, 3, 6]
                batch 50005000
                refused INVALID_ARGUMENT -1 is negative

                """)
        await server.shutdown(within: .seconds(60))
    }

    @Test("A generated client calls grpcio")
    func client() async throws {
        let server = try await ForeignPeer.server("stubs.py", [Self.protos, "serve"])
        let client = try await GRPCClient.connect(to: Target(server.address), timeout: .seconds(60))
        let stub = Stubs_V1_FourKinds.Client(client)
        let numbers = (1...10_000).map { value in Stubs_V1_Number.with { $0.value = value } }

        #expect(try await stub.double(numbers[20]).value == 42)
        let total = stub.total()
        for number in numbers.prefix(10) { try await total.send(number) }
        #expect(try await total.closeAndReceive().value == 55)
        var counted: [Int64] = []
        for try await response in try await stub.countTo(numbers[2]).responses {
            counted.append(response.value)
        }
        #expect(counted == [1, 2, 3])
        let running = stub.running()
        for (number, expected) in zip(numbers, [1, 3, 6] as [Int64]) {
            try await running.send(number)
            #expect(try await running.next()?.value == expected)
        }
        running.finish()
        #expect(try await running.next() == nil)
        let batch = stub.batchTotal()
        try await batch.send(contentsOf: numbers)
        #expect(try await batch.closeAndReceive().value == 50_005_000)
        await #expect(throws: GRPCStatus(code: .invalidArgument, message: "-1 is negative")) {
            try await stub.double(.with { $0.value = -1 })
        }
        await client.close()
    }
}
