import ScriptedPeers
import Testing

@testable import SumCore

/// A client whose configuration has an HTTP proxy.
@Suite(.timeLimit(.minutes(10))) struct ProxiedClientTests {
    private static func client(_ proxy: ScriptedServer) throws -> GRPCClient {
        var configuration = GRPCClient.Configuration()
        configuration.connectTimeout = .seconds(600)
        configuration.proxy = .through(try HTTPProxy(proxy.address))
        return GRPCClient(target: try Target("sum.invalid:7"), configuration: configuration)
    }

    /// Waits until the client is where connecting would fail for this reason.
    private static func wait(for reason: String, _ client: GRPCClient) async throws {
        while !client.activity.hasSuffix(reason) { try await Task.sleep(for: .milliseconds(1)) }
    }

    @Test("The deadline holds while a proxy is silent, and the server behind it", arguments: [false, true])
    func deadline(_ hasTunnel: Bool) async throws {
        let proxy = try ScriptedServer { peer in
            _ = try peer.receiveHead()
            if hasTunnel { try peer.send(text: "HTTP/1.1 200 OK\r\n\r\n") }
            while try !peer.receiveBytes().isEmpty {}
        }
        let client = try Self.client(proxy)
        let dial = Task { try await client.connect() }
        let name = "proxy http://\(proxy.address)"
        let reason =
            hasTunnel
            ? "through \(name): the server took the connection but said nothing"
            : "\(name) took the connection but did not answer CONNECT sum.invalid:7"
        try await Self.wait(for: reason, client)
        let status = await #expect(throws: GRPCStatus.self) {
            try await client.sum(of: [1], options: GRPCCallOptions(timeout: .milliseconds(50)))
        }
        #expect(
            status
                == GRPCStatus(
                    code: .deadlineExceeded,
                    message: "the deadline has passed while connecting to sum.invalid:7: \(reason)"))
        await client.close()
        await #expect(throws: GRPCStatus.self) { try await dial.value }
        try await proxy.end()
    }

    @Test("The peer is the server as the proxy was asked for it")
    func peer() async throws {
        let proxy = try ScriptedServer { peer in
            _ = try peer.receiveHead()
            try peer.send(text: "HTTP/1.1 200 OK\r\n\r\n")
            try peer.send(.settings())
            _ = try peer.receiveAll()
        }
        let client = try Self.client(proxy)
        #expect(try await client.connect() == "sum.invalid:7")
        await client.close()
        try await proxy.end()
    }

    @Test("Behind a proxy, each endpoint of a target is a server, and its name is not resolved")
    func addresses() async throws {
        let proxy = ProxySetting.through(try HTTPProxy("127.0.0.1:3128"))
        let list = TargetResolver(target: try Target("ipv4:10.0.0.1:1,10.0.0.2:2"), proxy: proxy)
        #expect(list.isStatic)
        let addresses = await list.resolve().addresses
        #expect(addresses.map(\.socketAddress.text) == ["127.0.0.1:3128", "127.0.0.1:3128"])
        #expect(addresses.interleaved.map(\.description) == ["10.0.0.1:1", "10.0.0.2:2"])
        #expect(addresses.map(\.tunnel?.target) == ["10.0.0.1:1", "10.0.0.2:2"])

        #expect(TargetResolver(target: try Target("sum.invalid:7"), proxy: proxy).isStatic)
        // However many addresses the proxy has.
        let named = ProxySetting.through(try HTTPProxy("localhost:3128"))
        #expect(!TargetResolver(target: try Target("sum.invalid:7"), proxy: named).isStatic)
        let targets = try await Target("sum.invalid:7").addresses(proxy: named)
        #expect(targets.map(\.description) == ["sum.invalid:7"])
        #expect(targets.map(\.endpoints) == [[.host("sum.invalid", port: 7)]])
    }
}
