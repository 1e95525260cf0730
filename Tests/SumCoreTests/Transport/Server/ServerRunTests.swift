import Logging
import ServiceLifecycle
@testable import SumCore
import SumLifecycle
import Testing

/// How a server starts, and how it ends with its task.
@Suite(.timeLimit(.minutes(10))) struct ServerRunTests {
    private func start() async throws -> GRPCServer {
        try await GRPCServer.start(
            listeningOn: [.host("127.0.0.1", port: 0)], methods: [SumNumbers.method()])
    }

    /// Begins a call, lets `stop` stop the server, and ends the call, which still gets its sum.
    private func stopsGracefully(_ server: GRPCServer, _ stop: () async throws -> Void) async throws {
        let client = GRPCClient(target: Target(server.addresses[0]), configuration: .patient)
        let call = client.sumNumbers()
        try await call.send(contentsOf: [1, 2])
        #expect(await call.peer() != nil)
        while await server.callCount() == 0 { await Task.yield() }
        try await stop()
        #expect(try await call.closeAndReceive() == 3)
        await client.close()
    }

    @Test("A task that is cancelled stops the server, and waits for the open calls")
    func cancelled() async throws {
        let server = try await start()
        let task = Task { await server.run(shutdownWithin: .seconds(60)) }
        try await stopsGracefully(server) { task.cancel() }
        await task.value
        await #expect(throws: GRPCStatus.self) {
            try await GRPCClient.connect(to: Target(server.addresses[0]), timeout: .zero)
        }
    }

    @Test("A server that is shut down otherwise has run, too")
    func shutDown() async throws {
        let server = try await start()
        async let run: Void = server.run(shutdownWithin: .zero)
        await server.shutdown(within: .seconds(60))
        await run
        // And whoever comes late need not wait.
        await server.run(shutdownWithin: .zero)
    }

    @Test("A service group shuts the server down gracefully")
    func service() async throws {
        let server = try await start()
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let group = ServiceGroup(services: [server], logger: logger)
        let task = Task { try await group.run() }
        try await stopsGracefully(server) { await group.triggerGracefulShutdown() }
        try await task.value
    }

    @Test("A second shutdown without patience ends what the first waits for")
    func impatient() async throws {
        let server = try await start()
        let client = GRPCClient(target: Target(server.addresses[0]), configuration: .patient)
        let call = client.sumNumbers()
        try await call.send(contentsOf: [1, 2])
        while await server.callCount() == 0 { await Task.yield() }
        async let first = server.shutdown(within: .seconds(300))
        await server.shutdown(within: .zero)
        _ = await first
        let failed = await #expect(throws: GRPCStatus.self) { try await call.closeAndReceive() }
        #expect(failed?.code == .unavailable)
        await client.close()
    }

    @Test("Two methods with one path are refused before the server listens")
    func duplicates() async throws {
        let error = await #expect(throws: DuplicateMethod.self) {
            try await GRPCServer.start(
                listeningOn: [.host("127.0.0.1", port: 0)],
                methods: [SumNumbers.method(), Health(services: []).methods[0], SumNumbers.method()])
        }
        #expect(
            error?.description
                == "two methods have the path '\(SumNumbers.path)': give the server only one of them")
    }
}
