import CoreMetrics
import MetricsTestKit
import NIOCore
import ScriptedPeers
import Testing

@testable import SumCore

@Suite(.timeLimit(.minutes(10))) struct ClientMetricsTests {
    private let backend = TestMetrics()
    private static let method = "tutorial.NumberService/SumNumbers"

    private static func text(_ dimensions: [(String, String)]) -> String {
        dimensions.map { "\($0.0)=\($0.1)" }.joined(separator: " ")
    }

    private func count(_ label: String) -> Int64 { backend.counterTotal(label: label) }

    private func client(_ target: Target) -> GRPCClient {
        var configuration = GRPCClient.Configuration()
        configuration.connectTimeout = .seconds(60)
        configuration.proxy = .none
        configuration.observers = [ClientMetrics(target: target, factory: backend)]
        return GRPCClient(target: target, configuration: configuration)
    }

    @Test("Calls, their attempts, and connections")
    func calls() async throws {
        try await withServer { server, target in
            let client = client(target)
            for _ in 0..<2 {
                let call = client.sumNumbers()
                try await call.send(contentsOf: [1, 2, 300])
                #expect(try await call.closeAndReceive() == 303)
            }
            #expect(backend.meters(label: "grpc.subchannel.open_connections").first?.lastValue == 1)
            await client.close()
            // What was to be told on the event loop has been.
            try await client.eventLoop.submit {}.get()
            let labels = "grpc.method=\(Self.method) grpc.target=dns:///\(server.addresses[0])"
            #expect(count("grpc.client.attempt.started") == 2)
            for name in ["grpc.client.attempt.duration", "grpc.client.call.duration"] {
                let timers = backend.timers(label: name)
                #expect(timers.map { Self.text($0.dimensions) } == ["\(labels) grpc.status=OK"])
                #expect(timers.first?.values.count == 2)
            }
            let size = "total_compressed_message_size"
            // Two, two and three bytes a call.
            let sent: [Double] = backend.recorders(label: "grpc.client.attempt.sent_\(size)").flatMap(
                \.values)
            #expect(sent == [7, 7])
            let received: [Double] = backend.recorders(label: "grpc.client.attempt.rcvd_\(size)").flatMap(
                \.values)
            #expect(received == [3, 3])
            #expect(backend.recorders(label: "grpc.client.call.retries").flatMap(\.values) == [])
            #expect(backend.timers(label: "grpc.client.call.retry_delay").flatMap(\.values) == [])
            #expect(count("grpc.subchannel.connection_attempts_succeeded") == 1)
            #expect(count("grpc.subchannel.disconnections") == 1)
            #expect(backend.meters(label: "grpc.subchannel.open_connections").first?.lastValue == 0)
        }
    }

    @Test("A call that the server refused unseen is retried, which counts as transparent")
    func transparentRetry() async throws {
        let server = try ScriptedServer { peer in
            try peer.send(.settings(), .settingsAck)
            let first = try #require(try peer.receive(.headers))
            try peer.send(.rstStream(7, on: first.streamID))
            let end = try #require(try peer.receive { $0.endsStream && $0.streamID != first.streamID })
            try peer.send(
                .headers(.response, on: end.streamID), .data([0, 0, 0, 0, 2, 8, 7], on: end.streamID),
                .headers(.trailers(0), on: end.streamID, endStream: true))
            _ = try peer.receiveAll()
        }
        let client = client(try Target(server.address))
        let call = client.sumNumbers()
        try await call.send(contentsOf: [7])
        #expect(try await call.closeAndReceive() == 7)
        await client.close()
        try await client.eventLoop.submit {}.get()
        try await server.end()
        #expect(count("grpc.client.attempt.started") == 2)
        let ends = backend.timers(label: "grpc.client.attempt.duration").compactMap { $0.dimensions.last?.1 }
        #expect(Set(ends) == ["OK", "UNAVAILABLE"])
        #expect(
            backend.recorders(label: "grpc.client.call.transparent_retries").flatMap(\.values) == [1])
        #expect(backend.recorders(label: "grpc.client.call.retries").flatMap(\.values) == [])
        func time(_ label: String) -> Int64 {
            backend.timers(label: label).reduce(0) { $0 + $1.values.reduce(0, +) }
        }
        // Between the attempts, and so no longer than the call without them.
        let delay = time("grpc.client.call.retry_delay")
        let rest = time("grpc.client.call.duration") - time("grpc.client.attempt.duration")
        #expect(delay > 0)
        #expect(delay <= rest)
    }

    @Test("A connection that fails, and a call that has no attempt")
    func failures() async throws {
        let target = try Target("unix:/nonexistent/sum.sock")
        var configuration = GRPCClient.Configuration()
        configuration.connectTimeout = .milliseconds(1)
        configuration.observers = [ClientMetrics(target: target, factory: backend)]
        let client = GRPCClient(target: target, configuration: configuration)
        var calls = 0
        // The first call may give up before the attempt to connect has failed.
        while calls == 0 || count("grpc.subchannel.connection_attempts_failed") == 0 {
            await #expect(throws: GRPCStatus.self) { try await client.sumNumbers().closeAndReceive() }
            calls += 1
        }
        await client.close()
        try await client.eventLoop.submit {}.get()
        #expect(count("grpc.subchannel.connection_attempts_succeeded") == 0)
        #expect(count("grpc.client.attempt.started") == 0)
        let timers = backend.timers(label: "grpc.client.call.duration")
        #expect(timers.map { $0.dimensions.last?.1 } == ["UNAVAILABLE"])
        #expect(timers.first?.values.count == calls)
        #expect(timers.first?.dimensions.contains { $0.1 == "unix:/nonexistent/sum.sock" } == true)
    }

    @Test("Beyond 100 methods, further ones share their series")
    func manyMethods() async throws {
        try await withServer { _, target in
            let client = client(target)
            for index in 0..<105 {
                await #expect(throws: GRPCStatus.self) {
                    let _: Tutorial_NumberResponse = try await client.unary(
                        "/a/\(index)", Tutorial_NumberRequest())
                }
            }
            await client.close()
            try await client.eventLoop.submit {}.get()
        }
        let started = backend.counters(label: "grpc.client.attempt.started")
        #expect(started.count == 101)
        #expect(started.first { $0.dimensions.first?.1 == "other" }?.totalValue == 5)
    }
}
