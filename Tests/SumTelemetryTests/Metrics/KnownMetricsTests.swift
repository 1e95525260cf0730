import SumTelemetry
import Testing

@testable import SumCore

/// What SumCore's observers record, in our backend.
@Suite(.timeLimit(.minutes(10))) struct KnownMetricsTests {
    @Test(
        "Everything that is recorded is described, has the kind it is described with, and a page of its own name"
    )
    func descriptions() async throws {
        let registry = MetricsRegistry()
        let metrics = ServerMetrics(factory: registry)
        let server = try await GRPCServer.start(
            listeningOn: [.host("127.0.0.1", port: 0)], methods: [SumNumbers.method()], observers: [metrics])
        let target = Target(server.addresses[0])
        var configuration = GRPCClient.Configuration()
        configuration.observers = [ClientMetrics(target: target, factory: registry)]
        configuration.connectTimeout = .seconds(60)
        let client = GRPCClient(target: target, configuration: configuration)
        let call = client.sumNumbers()
        try await call.send(contentsOf: [1, 2, 3])
        #expect(try await call.closeAndReceive() == 6)
        await client.close()
        await server.shutdown(within: .seconds(60))
        for refusal in ConnectionRefusal.allCases { metrics.connectionRefused(refusal, Peer(address: "a")) }
        for result in TLSHandshakeResult.allCases { metrics.handshakeEnded(result, Peer(address: "a")) }
        for outcome in ReloadOutcome.allCases { metrics.filesReloaded(outcome) }
        metrics.certificateUsed(notAfter: 1_900_000_000)
        let connection = metrics.connectionOpened(Peer(address: "a"))
        connection?.authorizationFailed(GRPCStatus(code: .unauthenticated))
        connection?.failed(
            ServerConnectionFailure(description: "", offence: "too_many_pings", isClientsFault: true))

        let snapshot = registry.snapshot()
        let known = Dictionary(uniqueKeysWithValues: MetricDescription.known.map { ($0.name, $0) })
        for metric in snapshot.metrics {
            let description = try #require(known[metric.name], "\(metric.name) is not described")
            #expect(metric.help == description.help && metric.unit == description.unit)
            #expect(metric.kind == description.kind, "\(metric.name)")
        }
        let missing = Set(known.keys).subtracting(snapshot.metrics.map(\.name))
        // These need a client with TLS.
        #expect(missing == ["grpc.client.tls.handshakes"])
        #expect(
            snapshot.metrics.first { $0.name == "sum.server.numbers" }?.points.map(\.value) == [.integer(3)])
        #expect(
            snapshot.metrics.first { $0.name == "grpc.server.call.rcvd_total_compressed_message_size" }?
                .points.first?.attributes == [
                    .init("grpc.method", "tutorial.NumberService/SumNumbers"), .init("grpc.status", "OK"),
                ])
    }
}
