import Foundation
import ScriptedPeers
import SumCore
import Synchronization
import Testing

@testable import sum_server

/// Who may call sum-server: tokens, patterns, and how they are replaced while it runs.
@Suite(.timeLimit(.minutes(10))) struct CallerTests {
    static let allowed = "allowed\(Secrets.mark)"
    static let unnamed = "unnamed\(Secrets.mark)"
    static let denied = "denied\(Secrets.mark)=="

    enum Listener: String, CaseIterable, Sendable {
        case clear, unix

        var address: String { self == .clear ? "127.0.0.1:0" : "unix:\(Tool.temporaryPath())" }
    }

    /// A file that only its owner may read.
    static func file(_ text: String) throws -> String {
        let path = Tool.temporaryPath()
        #expect(
            FileManager.default.createFile(
                atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600]))
        return path
    }

    static func tokenFile() throws -> String {
        try file("# test\n\(allowed) batch\r\n\n\(denied) other # not on the list\n\(unnamed)\n")
    }

    private static func client(_ address: String) throws -> GRPCClient {
        var configuration = GRPCClient.Configuration()
        configuration.connectTimeout = .seconds(Tool.limit)
        return GRPCClient(target: try Target(address), configuration: configuration)
    }

    private static func options(_ authorization: String?) throws -> GRPCCallOptions {
        var options = GRPCCallOptions()
        if let authorization { try options.metadata.add("authorization", authorization) }
        return options
    }

    private static func code(_ call: () async throws -> Void) async throws -> GRPCStatus {
        do {
            try await call()
            return .ok
        } catch let status as GRPCStatus {
            return status
        }
    }

    @Test(
        "abuse-A1: each caller gets what the table says, over every kind of socket",
        arguments: Listener.allCases)
    func matrix(_ listener: Listener) async throws {
        let server = try await ServerProcess(
            "sum-server",
            [
                "--listen", listener.address, "--auth-token-file", try Self.tokenFile(), "--allow-peer",
                "bat*",
                "--max-refused-calls", "100", "--log-level", "debug",
            ])
        let required = GRPCStatus(
            code: .unauthenticated, message: "a valid bearer token or a client certificate is required")
        let cases: [(String?, GRPCStatus)] = [
            (nil, required), ("Basic \(Self.allowed)", required), ("Bearer \(Self.allowed) x", required),
            ("Bearer unknown-0123456789", required),
            (
                "Bearer \(Self.denied)",
                GRPCStatus(code: .permissionDenied, message: "the caller 'other' may not call this server")
            ),
            (
                "Bearer \(Self.unnamed)",
                GRPCStatus(
                    code: .permissionDenied, message: "the caller without a name may not call this server")
            ),
            ("bearer  \(Self.allowed)", .ok),
        ]
        let client = try Self.client(server.address)
        let numbers = [Int32](repeating: 1, count: 100_000)
        for (authorization, expected) in cases {
            let options = try Self.options(authorization)
            let streamed = try await Self.code {
                let call = client.sumNumbers(options)
                for _ in 0..<10 { try await call.send(contentsOf: numbers) }
                let sum = try await call.closeAndReceive()
                #expect(sum == 1_000_000)
            }
            #expect(streamed == expected)
            let short = try await Self.code { _ = try await client.sum(of: [1], options: options) }
            #expect(short == expected)
            // The health service is open.
            #expect(try await client.checkHealth(options: options) == .serving)
        }
        await client.close()
        let (status, log) = await server.stop()
        #expect(status == 0)
        #expect(log.contains("principal=batch"))
        for token in [Self.allowed, Self.unnamed, Self.denied, "unknown-0123456789"] {
            #expect(!log.contains(token))
        }
    }

    @Test(
        "abuse-A1: grpcio sends a token as metadata, over every kind of socket",
        .enabled(if: ForeignPeer.isBuilt, "make test builds the foreign peers"), arguments: Listener.allCases)
    func foreign(_ listener: Listener) async throws {
        let server = try await ServerProcess(
            "sum-server", ["--listen", listener.address, "--auth-token-file", try Self.tokenFile()])
        let refused = "UNAUTHENTICATED a valid bearer token is required\n"
        for (token, output) in [(Self.allowed, "42\n"), ("unknown-0123456789", refused), ("\"", refused)] {
            let found = try await ForeignPeer.run(
                "client.py", [server.address, "--token=\(token)"], [40, 2])
            #expect(found == output)
        }
        #expect(try await ForeignPeer.run("client.py", [server.address], [40, 2]) == refused)
        #expect(await server.stop().status == 0)
    }

    @Test("With --no-open-health probes need a token, and reflection always does")
    func closedHealth() async throws {
        for isOpen in [true, false] {
            let server = try await ServerProcess(
                "sum-server",
                [
                    "--listen", "127.0.0.1:0", "--auth-token-file", try Self.tokenFile(),
                    isOpen ? "--open-health" : "--no-open-health",
                ])
            let client = try Self.client(server.address)
            let health = try await Self.code { _ = try await client.checkHealth() }
            #expect(health.code == (isOpen ? .ok : .unauthenticated))
            #expect(
                try await client.checkHealth(options: try Self.options("Bearer \(Self.unnamed)")) == .serving)
            let answer = try await Tool.offload {
                Result {
                    let peer = try WireSocket(connectingTo: server.address)
                    try peer.sayHello()
                    let path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
                    try peer.send(.headers(.request.with(WireField(":path", path)), on: 1, endStream: true))
                    return try peer.receive(.headers)
                }
            }.get()
            #expect(answer?["grpc-status"] == "16")
            await client.close()
            #expect(await server.stop().status == 0)
        }
    }

    @Test("abuse-A4: a client that guesses loses its connection after ten calls, and the log says why")
    func guesses() async throws {
        let server = try await ServerProcess(
            "sum-server", ["--listen", "127.0.0.1:0", "--auth-token-file", try Self.tokenFile()])
        let goAway = try await Tool.offload {
            Result {
                let peer = try WireSocket(connectingTo: server.address)
                try peer.sayHello()
                for call in UInt32(0)..<10 {
                    let guess = WireField("authorization", "Bearer guess-0123456789\(call)")
                    try peer.send(.headers(.request + [guess], on: 2 * call + 1, endStream: true))
                }
                return try peer.receiveAll().last { $0.kind == .goAway }
            }
        }.get()
        #expect(goAway?.errorCode == 11)
        #expect(goAway?.debugText == "too_many_refused_calls")
        let (status, log) = await server.stop()
        #expect(status == 0)
        #expect(log.contains("too many calls in a row that it may not make"))
        #expect(!log.contains("guess-"))
    }

    @Test("abuse-A5: a token of which HTTP forbids a character is in no log")
    func forbiddenCharacter() async throws {
        let server = try await ServerProcess(
            "sum-server",
            ["--listen", "127.0.0.1:0", "--auth-token-file", try Self.tokenFile(), "--log-level", "trace"])
        let reset = try await Tool.offload {
            Result {
                let peer = try WireSocket(connectingTo: server.address)
                try peer.sayHello()
                let field = WireField("authorization", "Bearer \(Self.allowed)\u{1}")
                try peer.send(.headers(.request + [field], on: 1, endStream: true))
                return try peer.receive(.rstStream)
            }
        }.get()
        #expect(reset != nil)
        let (_, log) = await server.stop()
        #expect(log.contains("the value of 'authorization' is not valid: (hidden)"))
        #expect(!log.contains(Self.allowed))
    }

    // MARK: Files

    @Test(
        "A file of tokens that cannot be used keeps the server from starting",
        arguments: [
            ("", "there is no token in it"), ("short", "the token in line 1 has less than 16 bytes"),
            (nil, "No such file or directory"),
        ] as [(String?, String)])
    func badFile(_ text: String?, _ reason: String) async throws {
        let path = try text.map { try Self.file($0) } ?? Tool.temporaryPath()
        let result = try await Tool.run("sum-server", ["--listen", "127.0.0.1:0", "--auth-token-file", path])
        #expect(result.status == 1)
        #expect(result.output == "")
        #expect(result.errors == "sum-server: \(path): \(reason)\n")
    }

    @Test("A file that others may read is warned of")
    func mode() async throws {
        for mode in [0o600, 0o640, 0o604] {
            let path = try Self.tokenFile()
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
            let server = try await ServerProcess(
                "sum-server", ["--listen", "127.0.0.1:0", "--auth-token-file", path])
            let (_, log) = await server.stop()
            #expect(log.contains("give it mode 0600") == (mode != 0o600))
        }
    }

    @Test(
        "abuse-A6: tokens are replaced on SIGHUP, under running calls; a file that cannot be used changes nothing"
    )
    func rotation() async throws {
        let (old, both, new) = (
            "old-token-0123456789 a\n", "old-token-0123456789 a\nnew-token-0123456789 a\n",
            "new-token-0123456789 a\n"
        )
        let path = try Self.file(old)
        let server = try await ServerProcess(
            "sum-server", ["--listen", "127.0.0.1:0", "--auth-token-file", path])
        func write(_ text: String, expecting line: String) async throws {
            // Renamed into place, as tools do.
            let other = try Self.file(text)
            #expect(rename(other, path) == 0)
            server.signal(SIGHUP)
            await server.waitFor(line)
        }
        let client = try Self.client(server.address)
        // A call is judged when it begins.
        let long = client.sumNumbers(try Self.options("Bearer old-token-0123456789"))
        try await long.send(40)
        _ = await long.peer()
        #expect(try await client.sum(of: [1], options: try Self.options("Bearer old-token-0123456789")) == 1)
        try await write(
            "", expecting: "not reloaded, what was in use stays: \(path): there is no token in it")
        try await write(both, expecting: "reloaded: 2 tokens in \(path)")
        let isRotated = Atomic(false)
        let caller = Task {
            var (count, token) = (0, "old")
            while !isRotated.load(ordering: .relaxed) {
                let options = try Self.options("Bearer \(token)-token-0123456789")
                #expect(try await client.sum(of: [1, 2], options: options) == 3)
                (count, token) = (count + 1, token == "old" ? "new" : "old")
            }
            return count
        }
        for _ in 0..<5 {
            try await write("# again\n\(both)", expecting: "nothing to reload: no file has changed")
            try await write("short\n", expecting: "less than 16 bytes")
        }
        isRotated.store(true, ordering: .relaxed)
        #expect(try await caller.value > 0)
        try await write(new, expecting: "reloaded: 1 token in \(path)")
        #expect(try await client.sum(of: [1], options: try Self.options("Bearer new-token-0123456789")) == 1)
        let status = try await Self.code {
            _ = try await client.sum(of: [1], options: try Self.options("Bearer old-token-0123456789"))
        }
        #expect(status.code == .unauthenticated)
        try await long.send(2)
        #expect(try await long.closeAndReceive() == 42)
        await client.close()
        #expect(await server.stop().status == 0)
    }

    // MARK: Options

    @Test(
        "Options that make no sense are refused",
        arguments: [
            (["--require-both"], "--require-both requires --auth-token-file and --allow-peer"),
            (
                ["--require-both", "--allow-peer", "x", "--auth-token-file", "x"],
                "--require-both requires --tls-client-ca"
            ),
            (["--allow-peer", "x"], "--allow-peer requires --auth-token-file or --tls-client-ca"),
            (
                ["--require-both", "--allow-peer", "x"],
                "--require-both requires --auth-token-file and --allow-peer"
            ),
            (["--allow-peer", "a*b"], "a pattern may have one '*', at its beginning or its end"),
            (["--proxy-protocol", "x"], "'x' is not a network such as 10.0.0.0/8, an address, or 'unix'"),
        ])
    func refused(_ arguments: [String], _ reason: String) async throws {
        let result = try await Tool.run("sum-server", arguments)
        #expect(result.status == 64)
        #expect(result.errors.contains(reason), "\(result.errors)")
    }
}
