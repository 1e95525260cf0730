import NIOCore
import ScriptedPeers
import Testing

@testable import SumCore

/// A call's deadline while there is no connection, and what a call without a deadline reports.
@Suite(.timeLimit(.minutes(10))) struct ConnectDeadlineTests {
    private func client(_ address: String, connectTimeout: Duration = .seconds(60)) throws -> GRPCClient {
        var configuration = GRPCClient.Configuration()
        configuration.connectTimeout = connectTimeout
        return GRPCClient(target: try Target(address), configuration: configuration)
    }

    private func status(
        _ client: GRPCClient, timeout: Duration?, whole: Bool = false
    ) async -> GRPCStatus? {
        let options = GRPCCallOptions(timeout: timeout)
        let status = await #expect(throws: GRPCStatus.self) {
            if whole { return try await client.sum(of: [1], options: options) }
            let call = client.sumNumbers(options)
            try await call.send(1)
            return try await call.closeAndReceive()
        }
        return status
    }

    /// Waits until connecting has failed for the first time.
    private func dial(_ client: GRPCClient, until reason: String) async throws {
        let dial = Task { try await client.connect() }
        while !client.activity.hasSuffix(reason) { try await Task.sleep(for: .milliseconds(1)) }
        _ = dial
    }

    @Test(
        "audit-C1: the deadline holds while connecting, and its message has the reason",
        arguments: [false, true])
    func refused(_ whole: Bool) async throws {
        let address = "127.0.0.1:1"
        let client = try client(address)
        try await dial(client, until: "Connection refused")
        let status = await status(client, timeout: .milliseconds(50), whole: whole)
        #expect(
            status
                == GRPCStatus(
                    code: .deadlineExceeded,
                    message: "the deadline has passed while connecting to \(address): Connection refused"))
        await client.close()
    }

    @Test("audit-C1: a silent server does not outlast the deadline")
    func silent() async throws {
        let server = try ScriptedServer { peer in while try !peer.receiveBytes().isEmpty {} }
        let client = try client(server.address)
        try await dial(client, until: "said nothing")
        let status = await status(client, timeout: .milliseconds(50))
        #expect(
            status
                == GRPCStatus(
                    code: .deadlineExceeded,
                    message: "the deadline has passed while connecting to \(server.address): "
                        + "the server took the connection but said nothing"))
        await client.close()
        try await server.end()
    }

    @Test("audit-C1: a deadline of zero ends the call without connecting", arguments: [false, true])
    func zero(_ whole: Bool) async throws {
        let server = try ScriptedServer { peer in while try !peer.receiveBytes().isEmpty {} }
        let client = try client(server.address)
        #expect(await status(client, timeout: .zero, whole: whole) == .deadlineExceeded)
        await client.close()
        try await server.end()
        #expect(server.connections == 0)
    }

    @Test("audit-C1: without a deadline a call fails like `connect` when connecting has failed")
    func unavailable() async throws {
        let address = "127.0.0.1:1"
        let client = try client(address, connectTimeout: .milliseconds(100))
        let expected = await #expect(throws: GRPCStatus.self) { try await client.connect() }
        #expect(expected?.code == .unavailable)
        let reason = "cannot connect to \(address): "
        #expect(expected?.message.hasPrefix(reason) == true)
        for timeout in [nil, Duration.seconds(60)] {
            let status = await status(client, timeout: timeout)
            #expect(status?.code == .unavailable)
            #expect(status?.message.hasPrefix(reason) == true)
        }
        await client.close()
    }

    @Test("audit-C1: a call reports its server's address once it has a connection, or that it had none")
    func peer() async throws {
        try await withServer { server, _ in
            let client = try client(server.addresses[0].description)
            let call = client.sumNumbers()
            #expect(await call.peer()?.address == server.addresses[0].description)
            #expect(try await call.closeAndReceive() == 0)
            #expect(await call.peer()?.address == server.addresses[0].description)
            await client.close()
        }
        let other = try self.client("127.0.0.1:1", connectTimeout: .milliseconds(50))
        #expect(await other.sumNumbers().peer() == nil)
        await other.close()
    }
}
