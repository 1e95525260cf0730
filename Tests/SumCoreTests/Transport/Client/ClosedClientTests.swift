import SwiftProtobuf
import Testing

@testable import SumCore

/// Whatever a client that has been closed is asked for, it says the same.
@Suite(.timeLimit(.minutes(10))) struct ClosedClientTests {
    private let closed = GRPCStatus(code: .cancelled, message: "the client has been closed")

    @Test("Calls and connecting after the end")
    func after() async throws {
        try await withServer { _, target in
            let client = try await GRPCClient.connect(to: target, timeout: .seconds(60))
            await client.close()
            await #expect(throws: closed) { try await client.sum(of: [1]) }
            await #expect(throws: closed) { try await client.sumNumbers().closeAndReceive() }
            await #expect(throws: closed) { try await client.connect() }
            var options = GRPCCallOptions()
            (options.waitsForReady, options.maxRetries) = (true, 3)
            await #expect(throws: closed) { try await client.sum(of: [1], options: options) }
            await client.close()
            #expect(client.connectivityState == .shutdown)
        }
    }

    @Test("A client that never had a connection")
    func unused() async throws {
        let client = GRPCClient(target: .default)
        await client.close()
        await #expect(throws: closed) { try await client.checkHealth() }
    }

    @Test("A call that waits for a connection")
    func waiting() async throws {
        // Nobody listens there; the call waits until the client is closed.
        let client = GRPCClient(target: try Target("unix:/nonexistent/sum.sock"), configuration: .patient)
        var options = GRPCCallOptions()
        options.waitsForReady = true
        let call = client.sumNumbers(options)
        await client.close()
        await #expect(throws: closed) { try await call.closeAndReceive() }
    }

    @Test("A call that is open, and one of each kind that is begun while the client closes")
    func open() async throws {
        try await withServer { _, target in
            let client = try await GRPCClient.connect(to: target, timeout: .seconds(60))
            let call = client.sumNumbers()
            try await call.send(contentsOf: [1, 2])
            #expect(await call.peer() != nil)
            await withTaskGroup { group in
                group.addTask { await client.close() }
                for _ in 0..<20 {
                    group.addTask {
                        do { _ = try await client.sum(of: [1]) } catch {
                            #expect(error as? GRPCStatus == closed)
                        }
                    }
                }
            }
            await #expect(throws: closed) { try await call.closeAndReceive() }
        }
    }
}
