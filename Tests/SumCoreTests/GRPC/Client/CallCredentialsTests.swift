import NIOCore
import ScriptedPeers
import Synchronization
import Testing

@testable import SumCore

@Suite(.timeLimit(.minutes(10))) struct CallCredentialsTests {
    private static let token = "0123456789abcdef"

    private static func request(loopback: Bool = false) -> GRPCRequestHead {
        var request = GRPCRequestHead(path: SumNumbers.path)
        request.bearerToken = BearerToken(token)
        request.sendsTokenToLoopback = loopback
        return request
    }

    @Test(
        "abuse-A10: a token leaves over private connections alone, or to loopback if that is allowed",
        arguments: [
            (.tls, false, true), (.tls, true, true), (.unix, false, true), (.unix, true, true),
            (.loopback, false, false), (.loopback, true, true), (.clear, false, false), (.clear, true, false),
        ] as [(ConnectionSecurity, Bool, Bool)])
    func security(_ security: ConnectionSecurity, _ allowsLoopback: Bool, _ isSent: Bool) throws {
        let connection = try ClientConnection(security: security)
        let wire = try WireChannel(connection, ofClient: true)
        try wire.send(.settings())
        _ = wire.takeFrames()
        let caller = OneShotCaller([])
        let stream = connection.start(Self.request(loopback: allowsLoopback), handler: caller)
        #expect((stream != nil) == isSent)
        let headers = wire.takeFrames().filter { $0.kind == .headers }
        #expect(headers.map { $0["authorization"] } == (isSent ? ["Bearer \(Self.token)"] : []))
        // A call without a token goes anywhere.
        #expect(connection.start(GRPCRequestHead(path: SumNumbers.path), handler: OneShotCaller([])) != nil)
    }

    @Test("abuse-A10: it is a literal that no table keeps (RFC 7541 section 6.2.3), in every call")
    func neverIndexed() throws {
        let connection = try ClientConnection(security: .unix)
        let wire = try WireChannel(connection, ofClient: true)
        try wire.send(.settings())
        _ = wire.takeFrames()
        for _ in 0..<3 {
            _ = connection.start(Self.request(), handler: OneShotCaller([]))
            let block = try #require(wire.takeFrames().first { $0.kind == .headers }?.payload)
            // The name is entry 23 of the static table, and the value follows as it is, or in Huffman's code.
            let at = block.indices.first { block[$0] == 0x1f && block.dropFirst($0 + 1).first == 23 - 15 }
            #expect(at != nil)
        }
    }

    @Test("A reader that throws OK is no success")
    func thrownOK() {
        let error = #expect(throws: GRPCStatus.self) {
            try CallCredentials(reading: { throw GRPCStatus.ok }).token()
        }
        #expect(error?.code == .unauthenticated)
    }

    @Test("Where a connection goes decides who can read it")
    func addresses() throws {
        func security(_ address: SocketAddress, _ tunnel: Tunnel? = nil) -> ConnectionSecurity {
            ServerAddress(socketAddress: address, description: "", tunnel: tunnel).security
        }
        #expect(security(try SocketAddress(unixDomainSocketPath: "/x")) == .unix)
        for host in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            #expect(security(try SocketAddress(ipAddress: host, port: 1)) == .loopback)
        }
        for host in ["10.0.0.1", "0.0.0.0", "::", "::2", "128.0.0.1", "fe80::1"] {
            #expect(security(try SocketAddress(ipAddress: host, port: 1)) == .clear)
        }
    }

    @Test("abuse-A10: no description shows a token")
    func descriptions() throws {
        var configuration = GRPCClient.Configuration()
        configuration.credentials = CallCredentials(token: Self.token)
        var metadata = GRPCMetadata()
        try metadata.add("authorization", "Bearer \(Self.token)")
        try metadata.add("k", "shown")
        let field = HTTP2Field("authorization", "Bearer \(Self.token)")
        for value in [configuration, metadata, Self.request(), GRPCCallOptions(metadata: metadata), field]
            as [Any]
        {
            var dumped = ""
            dump(value, to: &dumped)
            let all = "\(value) \(String(reflecting: value)) \(dumped)"
            #expect(!all.contains(Self.token), "\(type(of: value))")
        }
        #expect("\(metadata)".contains("k: shown"))
    }

    /// A server over a Unix domain socket, which has one token.
    private func withTokenServer(_ body: (Target) async throws -> Void) async throws {
        var configuration = GRPCServer.Configuration()
        configuration.authorize = CallAuthorizer(immediately: { context in
            guard context.bearerToken == Self.token else {
                throw GRPCStatus(code: .unauthenticated, message: "server")
            }
            return "tester"
        })
        let path = "/tmp/sum-\(UInt64.random(in: 0 ... .max))"
        let server = try await GRPCServer.start(
            listeningOn: [.unix(path: path), .host("127.0.0.1", port: 0)], methods: [SumNumbers.method()],
            configuration: configuration)
        for address in server.addresses { try await body(Target(address)) }
        await server.shutdown(within: .seconds(60))
    }

    @Test("Every kind of call sends it, and it is read for each")
    func calls() async throws {
        try await withTokenServer { target in
            let reads = Atomic(0)
            var configuration = GRPCClient.Configuration()
            configuration.credentials = CallCredentials(reading: {
                reads.add(1, ordering: .relaxed)
                return Self.token
            })
            configuration.credentials?.allowsLoopback = true
            configuration.connectTimeout = .seconds(60)
            configuration.proxy = .none
            let client = GRPCClient(target: target, configuration: configuration)
            for _ in 0..<3 { #expect(try await client.sum(of: [1, 2]) == 3) }
            let call = client.sumNumbers()
            try await call.send(42)
            #expect(try await call.closeAndReceive() == 42)
            #expect(reads.load(ordering: .relaxed) == 4)
            await client.close()
        }
    }

    @Test("A call whose token cannot be read, or sent, ends before it begins")
    func unreadable() async throws {
        try await withTokenServer { target in
            let cases: [(CallCredentials, String)] = [
                (
                    CallCredentials(reading: { throw GRPCStatus(code: .aborted, message: "later") }),
                    "ABORTED: later"
                ),
                (
                    CallCredentials(token: "two words"),
                    "UNAUTHENTICATED: the token has other characters than letters, digits and -._~+/, and = at its end"
                ),
                (
                    CallCredentials(token: "wrong-but-valid"),
                    target.isUnix ? "UNAUTHENTICATED: server" : "\(CallCredentials.notPrivate)"
                ),
            ]
            for (credentials, expected) in cases {
                var configuration = GRPCClient.Configuration()
                configuration.credentials = credentials
                configuration.connectTimeout = .seconds(60)
                configuration.proxy = .none
                let client = GRPCClient(target: target, configuration: configuration)
                do {
                    _ = try await client.sum(of: [1])
                    Issue.record("it was made")
                } catch {
                    #expect("\(error)" == expected)
                }
                await client.close()
            }
        }
    }
}
