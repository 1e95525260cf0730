import Foundation
import SwiftProtobuf
import Testing

@testable import SumCore
@testable import sum_server

/// `sum-server --drain-delay`: a server that is about to stop says so, and still serves.
@Suite(.timeLimit(.minutes(10))) struct DrainDelayTests {
    private typealias Watch = GRPCClientCall<
        Grpc_Health_V1_HealthCheckRequest, Grpc_Health_V1_HealthCheckResponse
    >

    private static let announcement = "serving until the drain delay has passed"

    @Test(
        "abuse-L12: after a signal, health is NOT_SERVING and calls are served; a second signal ends the delay",
        arguments: [SIGTERM, SIGINT])
    func delay(_ signal: Int32) async throws {
        let server = try await ServerProcess("sum-server", ServerProcess.tracing + ["--drain-delay", "1h"])
        let open = try OpenCall(server.address)
        await server.waitForCall()
        var configuration = GRPCClient.Configuration()
        configuration.connectTimeout = .seconds(Int64(Tool.limit))
        let client = GRPCClient(target: try Target(server.address), configuration: configuration)
        let watch: Watch = client.call("/grpc.health.v1.Health/Watch")
        try await watch.send(.with { $0.service = SumNumbers.service })
        watch.finish()
        #expect(try await watch.next()?.status == .serving)

        server.signal(signal)
        #expect(try await watch.next()?.status == .notServing)
        await server.waitFor(Self.announcement)
        let health = try await Tool.run("sum-client", ["--target", server.address, "--health"])
        #expect(health.output == "NOT_SERVING\n")
        #expect(health.status == 1)
        let call = try await Tool.run("sum-client", ["--target", server.address, "1", "2"])
        #expect(call.output == "3\n", "\(call.errors)")

        // A signal sooner than this is the same request to stop.
        try await Task.sleep(for: StopPolicy.sameWish)
        server.signal(signal)
        await server.waitFor("stopping")
        #expect(await watch.ended().status.code == .unavailable)
        await client.close()
        #expect(await open.finish(sending: "2").output == "42\n")
        #expect(await server.ended().status == 0)
    }

    @Test(
        "abuse-L12: the drain begins by itself when the delay has passed", arguments: [[], ["--no-health"]])
    func passes(_ options: [String]) async throws {
        let server = try await ServerProcess(
            "sum-server", ["--listen", "127.0.0.1:0", "--drain-delay", "50ms"] + options)
        let (status, log) = await server.stop()
        #expect(status == 0)
        let lines = log.split(separator: "\n")
        #expect(lines.count == 2, "\(log)")
        #expect(lines.first?.contains(Self.announcement) == true)
        #expect(lines.first?.contains("drain-delay=50ms") == true)
        #expect(lines.first?.contains("NOT_SERVING") == options.isEmpty)
        #expect(lines.last?.contains("stopping") == true)
    }

    @Test("abuse-L12, abuse-L2: the drain timeout begins when the delay has passed")
    func drainTimeout() async throws {
        let server = try await ServerProcess(
            "sum-server", ServerProcess.tracing + ["--drain-delay", "50ms", "--drain-timeout", "50ms"])
        let call = try OpenCall(server.address)
        await server.waitForCall()
        let (status, log) = await server.stop()
        #expect(status == 1)
        #expect(log.contains("calls were cut"))
        #expect(await call.ended().status == 78)
    }
}
