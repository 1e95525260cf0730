import NIOCore
import SwiftProtobuf
import Testing

@testable import SumCore

@Suite(.timeLimit(.minutes(1))) struct HealthTests {
    private func withHealth(_ body: (Health, GRPCServer, GRPCClient) async throws -> Void) async throws {
        let health = Health(services: ["a.A"])
        let server = try await GRPCServer.start(
            listeningOn: [.host("127.0.0.1", port: 0)], methods: health.methods)
        let client = try await GRPCClient.connect(to: Target(server.addresses[0]), timeout: .seconds(60))
        try await body(health, server, client)
        await client.close()
        await server.shutdown(within: .seconds(10))
    }

    @Test("V1: Check tells the server's status and each service's; an unknown one is NOT_FOUND")
    func check() async throws {
        try await withHealth { (health, _, client) async throws in
            #expect(try await client.checkHealth() == .serving)
            #expect(try await client.checkHealth(of: "a.A") == .serving)
            health.set(.notServing, for: "a.A")
            #expect(try await client.checkHealth(of: "a.A") == .notServing)
            #expect(try await client.checkHealth() == .serving)
            let error = await #expect(throws: GRPCStatus.self) { try await client.checkHealth(of: "b.B") }
            #expect(error?.code == .notFound)
        }
    }

    @Test("V3: List has all services, and refuses more than a hundred")
    func list() async throws {
        try await withHealth { (health, _, client) async throws in
            func list() async throws -> Grpc_Health_V1_HealthListResponse {
                try await client.unary(
                    path: "/grpc.health.v1.Health/List", Grpc_Health_V1_HealthListRequest())
            }
            #expect(try await list().statuses.mapValues(\.status) == ["": .serving, "a.A": .serving])
            for number in 0..<99 { health.set(.serving, for: "s\(number)") }
            let error = await #expect(throws: GRPCStatus.self) { try await list() }
            #expect(error?.code == .resourceExhausted)
        }
    }

    /// A call of Watch, and the statuses that come.
    private func watch(
        _ service: String, _ client: GRPCClient
    ) throws -> (caller: WatchCaller, statuses: AsyncStream<Int>.Iterator) {
        let request =
            try Grpc_Health_V1_HealthCheckRequest.with { $0.service = service }.serializedBytes() as [UInt8]
        let caller = WatchCaller(request)
        _ = client.start(
            path: "/grpc.health.v1.Health/Watch", timeout: nil, metadata: .init(), handler: caller)
        return (caller, caller.statuses.makeAsyncIterator())
    }

    @Test("V2, V4: Watch tells the status at once, every change, and the end; a service may come later")
    func watch() async throws {
        try await withHealth { (health, _, client) async throws in
            let (known, first) = try watch("a.A", client)
            var statuses = first
            #expect(await statuses.next() == 1)
            health.set(.serving, for: "a.A")
            health.set(.notServing, for: "a.A")
            #expect(await statuses.next() == 2)
            let (later, second) = try watch("b.B", client)
            var laterStatuses = second
            #expect(await laterStatuses.next() == 3)
            health.set(.serving, for: "b.B")
            #expect(await laterStatuses.next() == 1)
            health.shutDown()
            #expect(await laterStatuses.next() == 2)
            #expect(await later.ending().code == .unavailable)
            #expect(await known.ending().code == .unavailable)
            #expect(try await client.checkHealth() == .notServing)
            health.set(.serving, for: "")
            #expect(try await client.checkHealth() == .notServing)
        }
    }
}

/// Sends one message, and notes the statuses that come as they come.
private final class WatchCaller: ClientCallHandler {
    private let inner: OneShotCaller
    let statuses: AsyncStream<Int>
    private let note: AsyncStream<Int>.Continuation

    init(_ request: [UInt8]) {
        inner = OneShotCaller([request])
        (statuses, note) = AsyncStream.makeStream()
    }

    func ending() async -> GRPCStatus { await inner.outcome().status }

    func fill(_ frame: inout OutputRawSpan) -> ClientCallProgress { inner.fill(&frame) }

    /// The server sends each status in a DATA frame of its own: prefix, tag, number.
    func receive(_ bytes: ByteBuffer) throws(GRPCStatus) -> Int {
        if let status = bytes.readableBytesView.last { note.yield(Int(status)) }
        return try inner.receive(bytes)
    }

    func end(_ status: GRPCStatus) { inner.end(status) }
}
