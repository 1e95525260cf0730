import NIOCore
import SwiftProtobuf
import Testing

@testable import SumCore

@Suite(.timeLimit(.minutes(10))) struct HealthTests {
    private func withHealth(_ body: (Health, GRPCClient) async throws -> Void) async throws {
        let health = Health(services: ["a.A"])
        try await withClient(of: health.methods) { (client) async throws in try await body(health, client) }
    }

    @Test("grpc-V1: Check returns the status of the server and of each service; an unknown one is NOT_FOUND")
    func check() async throws {
        try await withHealth { (health, client) async throws in
            #expect(try await client.checkHealth() == .serving)
            #expect(try await client.checkHealth(of: "a.A") == .serving)
            health.set(.notServing, for: "a.A")
            #expect(try await client.checkHealth(of: "a.A") == .notServing)
            #expect(try await client.checkHealth() == .serving)
            let error = await #expect(throws: GRPCStatus.self) { try await client.checkHealth(of: "b.B") }
            #expect(error?.code == .notFound)
        }
    }

    @Test("grpc-V3: List returns all services, and refuses more than a hundred")
    func list() async throws {
        try await withHealth { (health, client) async throws in
            func list() async throws -> Grpc_Health_V1_HealthListResponse {
                try await client.unary("/grpc.health.v1.Health/List", Grpc_Health_V1_HealthListRequest())
            }
            #expect(try await list().statuses.mapValues(\.status) == ["": .serving, "a.A": .serving])
            for number in 0..<99 { health.set(.serving, for: "s\(number)") }
            let error = await #expect(throws: GRPCStatus.self) { try await list() }
            #expect(error?.code == .resourceExhausted)
        }
    }

    private typealias Watch = GRPCClientCall<
        Grpc_Health_V1_HealthCheckRequest, Grpc_Health_V1_HealthCheckResponse
    >

    private func watch(_ service: String, _ client: GRPCClient) async throws -> Watch {
        let call: Watch = client.call("/grpc.health.v1.Health/Watch")
        try await call.send(.with { $0.service = service })
        call.finish()
        return call
    }

    @Test(
        "grpc-V2, grpc-V4: Watch sends the current status, every change, and the end; a service may be added later"
    )
    func watch() async throws {
        try await withHealth { (health, client) async throws in
            let known = try await watch("a.A", client)
            #expect(try await known.next()?.status == .serving)
            health.set(.serving, for: "a.A")
            health.set(.notServing, for: "a.A")
            #expect(try await known.next()?.status == .notServing)
            let later = try await watch("b.B", client)
            #expect(try await later.next()?.status == .serviceUnknown)
            health.set(.serving, for: "b.B")
            #expect(try await later.next()?.status == .serving)
            health.shutDown()
            #expect(try await later.next()?.status == .notServing)
            #expect(await later.ended().status.code == .unavailable)
            #expect(await known.ended().status.code == .unavailable)
            #expect(try await client.checkHealth() == .notServing)
            health.set(.serving, for: "")
            #expect(try await client.checkHealth() == .notServing)
        }
    }

    @Test(
        "abuse-L12, grpc-V4: a server that stops serving tells its watchers at once, and ends their calls later"
    )
    func stopServing() async throws {
        try await withHealth { (health, client) async throws in
            let known = try await watch("a.A", client)
            #expect(try await known.next()?.status == .serving)
            let unknown = try await watch("b.B", client)
            #expect(try await unknown.next()?.status == .serviceUnknown)
            health.stopServing()
            #expect(try await known.next()?.status == .notServing)
            #expect(try await client.checkHealth() == .notServing)
            for service in ["", "a.A", "b.B"] { health.set(.serving, for: service) }
            health.stopServing()
            let later = try await watch("a.A", client)
            #expect(try await later.next()?.status == .notServing)
            health.shutDown()
            for call in [known, unknown, later] {
                #expect(await call.ended().status.code == .unavailable)
            }
        }
    }
}
