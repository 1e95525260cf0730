import Foundation
import Testing

/// sum-client's token, and what else must not stand on the command line.
@Suite(.timeLimit(.minutes(10))) struct CredentialOptionTests {
    private static func server(_ listen: String) async throws -> ServerProcess {
        try await ServerProcess(
            "sum-server",
            ["--listen", listen, "--auth-token-file", try CallerTests.tokenFile(), "--log-level", "trace"])
    }

    private static func client(
        _ arguments: [String], environment: [String] = []
    ) async throws -> Tool.Result {
        let client = Tool.directory.appending(path: "sum-client").path
        return try await Tool.run(
            "/usr/bin/env",
            ["-u", "SUM_TOKEN"] + environment + [client, "--connect-timeout", "\(Tool.limit)s"] + arguments)
    }

    @Test("abuse-A10: a token goes over a Unix domain socket, and over loopback only if that is asked for")
    func sending() async throws {
        let path = try CallerTests.file("\(CallerTests.allowed)\n")
        for listen in ["unix:\(Tool.temporaryPath())", "127.0.0.1:0"] {
            let server = try await Self.server(listen)
            let isUnix = listen.hasPrefix("unix:")
            let ways =
                [(["--token-file", path], []), ([], ["SUM_TOKEN=\(CallerTests.allowed)"])]
                as [([String], [String])]
            for (arguments, environment) in ways {
                let all = ["--target", server.address, "-v"] + arguments
                let result = try await Self.client(all + ["40", "2"], environment: environment)
                #expect(result.output == (isUnix ? "42\n" : ""))
                #expect(result.status == (isUnix ? 0 : 64))
                #expect(isUnix || result.errors.contains("is sent over Unix domain sockets and TLS only"))
                let allowed = try await Self.client(
                    all + ["--insecure-token", "40", "2"], environment: environment)
                #expect(allowed.output == "42\n")
                #expect(!(result.errors + allowed.errors).contains(CallerTests.allowed))
            }
            // Without a token, the server refuses.
            let result = try await Self.client(["--target", server.address, "1"])
            #expect(result.status == 80)
            #expect(result.errors == "sum-client: UNAUTHENTICATED: a valid bearer token is required\n")
            let (_, log) = await server.stop()
            #expect(log.contains("principal=batch"))
            #expect(!log.contains(CallerTests.allowed))
        }
    }

    @Test(
        "abuse-A10: --insecure-token is no leave to go through a proxy",
        .enabled(if: ForwardProxy.Kind.tinyproxy.isInstalled, "make test installs the proxies"))
    func proxied() async throws {
        let server = try await Self.server("127.0.0.1:0")
        let proxy = try ForwardProxy(.tinyproxy)
        let result = try await Self.client([
            "--target", server.address, "--proxy", "http://\(proxy.address)", "--insecure-token",
            "--token-file",
            try CallerTests.file(CallerTests.allowed), "1",
        ])
        #expect(result.status == 64)
        #expect(result.output.isEmpty)
        #expect(result.errors.contains("the token is not sent over a connection that others can read"))
        let (_, log) = await server.stop()
        #expect(!log.contains("principal="))
    }

    @Test(
        "A file that is no token is refused before anything is sent",
        arguments: [
            ("", "there must be one token in it, and nothing else"),
            ("a b\n", "there must be one token in it, and nothing else"), (nil, "No such file or directory"),
        ] as [(String?, String)])
    func badFile(_ text: String?, _ reason: String) async throws {
        let path = try text.map { try CallerTests.file($0) } ?? Tool.temporaryPath()
        let result = try await Self.client(["--target", "unix:/nowhere", "--token-file", path, "1"])
        #expect(result.status == 64)
        #expect(result.errors == "sum-client: \(path): \(reason)\n")
    }

    @Test("The output of another program is read once")
    func pipe() async throws {
        let server = try await Self.server("unix:\(Tool.temporaryPath())")
        let client = Tool.directory.appending(path: "sum-client").path
        let result = try await Tool.run(
            "/bin/bash",
            [
                "-c",
                "\(client) --target \(server.address) --token-file <(echo \(CallerTests.allowed)) --metadata-file <(echo 'k: v') 40 2",
            ])
        #expect(result.output == "42\n", "\(result.errors)")
        #expect(await server.stop().status == 0)
    }

    @Test(
        "Metadata comes from a file, too, which no error quotes; a token on the command line, or in that file, is refused"
    )
    func metadata() async throws {
        let refused = "put the token of 'authorization' into a file, and give that to --token-file"
        let result = try await Self.client(["--metadata", "Authorization: Bearer x", "1"])
        #expect(result.status == 64)
        #expect(result.errors.contains(refused))
        let bad = try await Self.client([
            "--metadata-file", try CallerTests.file("authorization: Bearer x\n"), "1",
        ])
        #expect(bad.status == 64)
        #expect(bad.errors.contains(refused))
        #expect(!bad.errors.contains("Bearer x"))
        for (line, reason) in [
            ("swordfish", "is not metadata: it must be 'key: value'"),
            ("k-bin: swordfish!", "cannot be sent"),
            ("k: swordfish\u{e9}", "cannot be sent"), ("grpc-k: swordfish", "cannot be sent"),
        ] {
            let file = try CallerTests.file("# c\n\n\(line)\n")
            let malformed = try await Self.client(["--metadata-file", file, "1"])
            #expect(malformed.status == 64)
            #expect(malformed.errors.contains("line 3 of \(file) \(reason)"), "\(malformed.errors)")
            #expect(!malformed.errors.contains("swordfish"))
        }
        let server = try await Self.server("unix:\(Tool.temporaryPath())")
        let health = try await Self.client([
            "--target", server.address, "--health", "--metadata-file",
            try CallerTests.file("# comment\r\nk: v\r\n\r\nother: w\n"),
        ])
        #expect(health.output == "SERVING\n", "\(health.errors)")
        #expect(await server.stop().status == 0)
    }
}
