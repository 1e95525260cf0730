import Glibc
import InMemoryLogging
import Logging
import NIOCore
import NIOPosix
import ScriptedPeers
import Synchronization
import Testing

@testable import SumCore

/// Connections with TLS: who the peer is, and how they end.
@Suite(.timeLimit(.minutes(5))) struct TLSConnectionTests {
    /// Notes the peers of calls.
    private final class PeerNote: ServerInterceptor {
        let peers = Mutex<[Peer]>([])

        func intercept(
            _ context: ServerCallContext,
            next: (ServerCallContext) throws(GRPCStatus) -> any ServerCallHandler
        ) throws(GRPCStatus) -> any ServerCallHandler {
            peers.withLock { $0.append(context.peer) }
            return try next(context)
        }
    }

    private func port(of server: GRPCServer) throws -> Int {
        try #require(server.addresses[0].port)
    }

    /// A socket that is connected to the server.
    private func socket(to server: GRPCServer) async throws -> any Channel {
        try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port(of: server)).get()
    }

    @Test("tls-S3: a drain does not wait for connections whose handshake has not ended")
    func drain() async throws {
        let log = InMemoryLogHandler()
        let server = try await GRPCServer.start(
            listeningOn: [ListenEndpoint(.host("127.0.0.1", port: 0), tls: try .named())],
            methods: [SumNumbers.method()], logger: .init(label: "test") { _ in log })
        let silent = try await socket(to: server)
        let half = try await socket(to: server)
        // The header of a ClientHello, and the beginning of its body.
        try await half.writeAndFlush(ByteBuffer(bytes: [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]))
        // Both have been accepted when a connection that came later has been served.
        #expect(try await tlsSum(server.addresses[0].description, .trusting()).get() == 6)
        #expect(await server.shutdown(within: .seconds(300)))
        try await silent.closeFuture.get()
        try await half.closeFuture.get()
        #expect(log.operatorLines == [])
    }

    @Test("tls-S4: the limit of the handshake holds for TLS and HTTP/2 together")
    func slowHandshake() async throws {
        var limits = ServerLimits()
        limits.handshakeTimeout = .milliseconds(100)
        var log = InMemoryLogHandler()
        log.logLevel = .debug
        try await withTLSServer(.named(), limits: limits, log: log) { server in
            for bytes: [UInt8] in [[], [0x16], [0x16, 3, 1, 2, 0, 1], Array("PO".utf8)] {
                let slow = try await socket(to: server)
                // On a busy machine the time may be up already.
                try? await slow.writeAndFlush(ByteBuffer(bytes: bytes))
                try await slow.closeFuture.get()
            }
        }
        #expect(log.errors == Array(repeating: "the TLS handshake did not end in time", count: 4))
    }

    @Test(
        "tls-B2: clear text on a port for TLS gets an answer in its own protocol, in whatever pieces it comes",
        arguments: [
            ("GET / HTTP/1.1\r\nhost: a\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n", "HTTP/1 in clear text"),
            ("OPTIONS * HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n", "HTTP/1 in clear text"),
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\u{15}\u{3}\u{1}\0\u{2}\u{2}F", "HTTP/2 in clear text"),
            ("SSH-2.0-OpenSSH_9.2\r\n", "\u{15}\u{3}", "the client does not speak TLS"),
        ])
    func clearText(_ sent: String, _ answer: String, _ logged: String) async throws {
        for isWhole in [true, false] {
            let log = InMemoryLogHandler()
            try await withTLSServer(.named(), log: log) { server in
                let received = try await onThread {
                    let socket = try WireSocket(connectingTo: server.addresses[0].description)
                    if isWhole {
                        try socket.send(bytes: Array(sent.utf8))
                    } else {
                        // As much as shows what it is: after that, the server may have closed the connection.
                        let word = sent.utf8.prefix { $0 != UInt8(ascii: " ") }
                        try socket.sendSingly(Array(sent.utf8.prefix(word.count < 8 ? word.count + 1 : 5)))
                    }
                    return try socket.receiveBytes()
                }
                #expect(String(decoding: received, as: UTF8.self).hasPrefix(answer), "\(received)")
            }
            #expect(log.operatorLines.count == 1)
            #expect(log.operatorLines.first?.contains(logged) == true, "\(log.operatorLines)")
        }
    }

    @Test(
        "A request of HTTP/1 gets its answer, however long it is",
        arguments: [true, false])
    func longRequest(_ isTLS: Bool) async throws {
        let log = InMemoryLogHandler()
        // The server answers when it has read the beginning.
        let request = "GET / HTTP/1.1\r\ncookie: " + String(repeating: "c", count: 200_000)
        try await withTLSServer(isTLS ? .named() : nil, log: log) { server in
            let (received, isClosed) = try await onThread {
                let socket = try WireSocket(connectingTo: server.addresses[0].description)
                try socket.send(bytes: Array(request.utf8))
                let received = try socket.receiveBytes()
                // This client does not close, so the server does, after a second.
                let end = ContinuousClock.now + .seconds(60)
                while server.connectionCount > 0, .now < end { usleep(10_000) }
                return withExtendedLifetime(socket) { (received, server.connectionCount == 0) }
            }
            #expect(isClosed)
            #expect(String(decoding: received, as: UTF8.self).hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
        }
        // In clear text it is an everyday event.
        #expect(log.operatorLines.count == (isTLS ? 1 : 0), "\(log.operatorLines)")
    }

    @Test("A client whose handshake fails gets an alert, and no reset, whatever more it has sent")
    func alert() async throws {
        let log = InMemoryLogHandler()
        try await withTLSServer(.named(), log: log) { server in
            let (received, isReset) = try await onThread {
                let socket = try WireSocket(connectingTo: server.addresses[0].description)
                // A record with a message of the handshake that there is not, and much more than one read takes.
                let hello: [UInt8] = [0x16, 3, 1, 0, 4, 0xff, 0, 0, 0]
                try socket.send(bytes: hello + Array(repeating: 0, count: 200_000))
                return (try socket.receiveBytes(), socket.isReset())
            }
            #expect(received.first == 0x15, "\(received)")
            #expect(!isReset)
        }
        #expect(log.operatorLines.count == 1, "\(log.operatorLines)")
    }

    @Test(
        "tls-S5: the names of a client's certificate are known to interceptors; a client knows those of its server"
    )
    func identities() async throws {
        let note = PeerNote()
        let server = try await GRPCServer.start(
            listeningOn: [
                ListenEndpoint(
                    .host("127.0.0.1", port: 0), tls: try .named { $0.clientCAs = try .named("ca") })
            ], methods: [SumNumbers.method()], interceptors: [note])
        let client = try ClientTLS.trusting { $0.identity = try .named("good") }
        #expect(try await tlsSum(server.addresses[0].description, client).get() == 6)
        await server.shutdown()
        let identities: [PeerIdentity] = [
            .dns("localhost"), .ipAddress("127.0.0.1"), .ipAddress("::1"), .uri("spiffe://example.org/adder"),
            .email("adder@example.org"),
        ]
        #expect(note.peers.withLock { $0 }.map(\.certificate) == [PeerCertificate(identities: identities)])
        #expect(note.peers.withLock { $0 }.map(\.tlsVersion) == [.tls13])
    }

    @Test("tls-B3: a million numbers over TLS have their sum, and their connection ends at once")
    func manyNumbers() async throws {
        try await withTLSServer(.named()) { server in
            var configuration = GRPCClient.Configuration()
            configuration.tls = try .trusting()
            configuration.connectTimeout = .seconds(60)
            let client = GRPCClient(target: Target(server.addresses[0]), configuration: configuration)
            let call = client.sumNumbers()
            for _ in 0..<100 { try await call.send(contentsOf: Array(repeating: 7, count: 10_000)) }
            #expect(try await call.closeAndReceive() == 7_000_000)
            await client.close()
        }
    }
}
