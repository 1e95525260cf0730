import Foundation
import ScriptedPeers
import Testing

/// Limits of sum-server for each peer. Every address of 127.0.0.0/8 is one.
@Suite(.timeLimit(.minutes(10))) struct PeerLimitTests {
    /// A new client, unless the server closes its connection at once.
    private static func served(
        by server: ServerProcess, from source: String, header: [UInt8] = []
    ) throws -> WireSocket? {
        let client = try WireSocket(connectingTo: server.address, from: source)
        // The connection may be closed before the preface.
        try? client.send(bytes: header)
        try? client.sayHello()
        return try client.receive(.settings) == nil ? nil : client
    }

    private static func server(_ options: [String]) async throws -> ServerProcess {
        try await ServerProcess("sum-server", ["--listen", "127.0.0.1:0", "--log-level", "debug"] + options)
    }

    @Test(
        "abuse-A7: a peer with as many connections as allowed gets no more; others do, and so does it later")
    func connections() async throws {
        let server = try await Self.server(["--max-connections-per-peer", "2"])
        try await Tool.offload {
            Result {
                var clients = [
                    try Self.served(by: server, from: "127.0.0.2"),
                    try Self.served(by: server, from: "127.0.0.2"),
                ]
                for _ in 0..<5 { #expect(try Self.served(by: server, from: "127.0.0.2") == nil) }
                let other = try Self.served(by: server, from: "127.0.0.3")
                for client in clients + [other] { try client?.callForSum() }
                #expect(clients.count { $0 != nil } == 2)
                clients.removeLast()
                // Until the server has noticed.
                while try Self.served(by: server, from: "127.0.0.2") == nil {}
            }
        }.get()
        let (status, log) = await server.stop()
        #expect(status == 0)
        #expect(log.contains("the peer has too many connections"))
        #expect(!log.contains(/the peer has .* peer=127.0.0.3/))
    }

    @Test("abuse-A7: a peer that connects too often is refused, and logged once; others are served")
    func rate() async throws {
        let server = try await Self.server(["--max-new-connections-per-peer", "50"])
        try await Tool.offload {
            Result {
                var count = 0
                while try Self.served(by: server, from: "127.0.0.2") != nil { count += 1 }
                #expect(count >= 50)
                try Self.served(by: server, from: "127.0.0.3")?.callForSum()
                // A place in each fifth of a second.
                while try Self.served(by: server, from: "127.0.0.2") == nil {}
            }
        }.get()
        let (status, log) = await server.stop()
        #expect(status == 0)
        #expect(log.contains("the peer connects too often"))
    }

    @Test("abuse-A8: a caller has only so many calls, over all its connections")
    func calls() async throws {
        let server = try await Self.server(["--max-calls-per-caller", "2"])
        try await Tool.offload {
            Result {
                let clients = try (0..<3).map { _ in
                    try #require(try Self.served(by: server, from: "127.0.0.2"))
                }
                let other = try #require(try Self.served(by: server, from: "127.0.0.3"))
                for client in clients.prefix(2) {
                    try client.send(.headers(.request, on: 1), .ping())
                    _ = try client.receive(.ping, ack: true)
                }
                try clients[2].send(.headers(.request, on: 1, endStream: true))
                let refusal = try clients[2].receiveAnswer()
                #expect(refusal.status == "8")
                #expect(refusal.message == "the caller has 2 calls already")
                try other.callForSum()
                try clients[0].send(.data([], on: 1, endStream: true))
                #expect(try clients[0].receiveAnswer().status == "0")
                try clients[2].callForSum(on: 3)
            }
        }.get()
        #expect(await server.stop().status == 0)
    }

    // MARK: PROXY protocol

    private static func v1(_ client: String) -> [UInt8] {
        Array("PROXY TCP4 \(client) 10.0.0.1 4711 80\r\n".utf8)
    }

    private static let v2: [UInt8] =
        [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10, 0x21, 0x11, 0, 15] + [192, 0, 2, 9]
        + [10, 0, 0, 1] + [0x12, 0x67] + [0, 80] + [4, 0, 0]

    @Test("abuse-A9: a believed proxy says who its client is, to the log and to limits")
    func believed() async throws {
        let server = try await Self.server([
            "--proxy-protocol", "127.0.0.0/30,::1", "--max-connections-per-peer", "1",
        ])
        try await Tool.offload {
            Result {
                let first = try #require(
                    try Self.served(by: server, from: "127.0.0.2", header: Self.v1("192.0.2.1")))
                let second = try #require(try Self.served(by: server, from: "127.0.0.2", header: Self.v2))
                #expect(try Self.served(by: server, from: "127.0.0.3", header: Self.v1("192.0.2.1")) == nil)
                // The proxy's own connection.
                let own = try #require(
                    try Self.served(by: server, from: "127.0.0.2", header: Array("PROXY UNKNOWN\r\n".utf8)))
                for client in [first, second, own] { try client.callForSum() }
                // Byte by byte.
                let slow = try WireSocket(connectingTo: server.address, from: "127.0.0.3")
                try slow.sendSingly(Self.v1("192.0.2.7"))
                try slow.sayHello()
                try slow.callForSum()
            }
        }.get()
        let (status, log) = await server.stop()
        #expect(status == 0)
        for peer in ["192.0.2.1:4711", "192.0.2.9:4711", "127.0.0.2:", "192.0.2.7:4711"] {
            #expect(log.contains("peer=\(peer)"), "\(peer)")
        }
        #expect(log.contains(/the peer has too many connections.* peer=192\.0\.2\.1:4711/))
    }

    @Test("abuse-A9: a header from elsewhere is not believed, and a believed proxy must send one")
    func notBelieved() async throws {
        let server = try await Self.server(["--proxy-protocol", "127.0.0.2"])
        try await Tool.offload {
            Result {
                // From elsewhere, connections are what they are.
                let direct = try #require(try Self.served(by: server, from: "127.0.0.3"))
                try direct.callForSum()
                #expect(try Self.served(by: server, from: "127.0.0.3", header: Self.v1("192.0.2.1")) == nil)
                #expect(try Self.served(by: server, from: "127.0.0.2") == nil)
                #expect(
                    try Self.served(by: server, from: "127.0.0.2", header: Array("PROXY TCP4\r\n".utf8))
                        == nil)
                #expect(
                    try Self.served(
                        by: server, from: "127.0.0.2",
                        header: Array(Self.v2.prefix(13)) + Array(repeating: 0xff, count: 99)
                    ) == nil)
            }
        }.get()
        let (status, log) = await server.stop()
        #expect(status == 0)
        #expect(!log.contains("peer=192.0.2.1"))
        #expect(log.contains("the proxy is believed, but it does not begin with a PROXY protocol header"))
        #expect(log.contains("the proxy is believed, but its PROXY line is malformed"))
    }

    @Test("abuse-A9: a header that does not come in time ends the connection")
    func slowHeader() async throws {
        let server = try await Self.server(["--proxy-protocol", "127.0.0.1", "--handshake-timeout", "50ms"])
        try await Tool.offload {
            Result {
                for header in [[], Array("PROX".utf8), Array(Self.v2.dropLast())] {
                    let client = try WireSocket(connectingTo: server.address)
                    try client.send(bytes: header)
                    #expect(try client.receive() == nil)
                }
            }
        }.get()
        let (status, log) = await server.stop()
        #expect(status == 0)
        #expect(log.contains("the PROXY protocol header did not come in time"))
    }

    @Test("abuse-A9: a connection without its header does not delay the end of the server")
    func drain() async throws {
        let server = try await Self.server(["--proxy-protocol", "127.0.0.1", "--handshake-timeout", "100h"])
        let clients = try [[], Array("PROXY TCP4 ".utf8)].map { header in
            let client = try WireSocket(connectingTo: server.address)
            try client.send(bytes: header)
            return client
        }
        #expect(await server.stop().status == 0)
        for client in clients { #expect(try client.receive() == nil) }
    }

    @Test(
        "abuse-A9: HAProxy says who its client is",
        .enabled(if: Proxy.haproxy.isInstalled, "make test installs the proxies"),
        arguments: ["send-proxy", "send-proxy-v2"])
    func haproxy(_ version: String) async throws {
        let socket = Tool.temporaryPath()
        let server = try await ServerProcess(
            "sum-server",
            ["--listen", "unix:\(socket)", "--proxy-protocol", "unix", "--log-level", "debug"])
        let proxy = try ForwardingProxy(before: "unix@\(socket)", version)
        let front = proxy.address
        try await Tool.offload {
            Result {
                var client: WireSocket?
                // Until the proxy listens.
                while client == nil { client = try? WireSocket(connectingTo: front, from: "127.0.0.9") }
                try client?.sayHello()
                try client?.callForSum()
            }
        }.get()
        proxy.stop()
        let (status, log) = await server.stop()
        #expect(status == 0)
        #expect(log.contains("peer=127.0.0.9:"))
    }
}
