import Foundation
import ScriptedPeers
import Testing

/// Who may call over TLS: certificates, tokens, either and both, from sum-client and from grpcio.
@Suite(.timeLimit(.minutes(10))) struct CallerTLSTests {
    private static let required = "UNAUTHENTICATED: a valid bearer token or a client certificate is required"

    private static func path(_ file: String) throws -> String { try TestCertificates.path(file) }

    private static func server(_ options: [String]) async throws -> ServerProcess {
        try await ServerProcess(
            "sum-server",
            [
                "--listen", "127.0.0.1:0", "--tls-cert", try path("good.pem"), "--tls-key",
                try path("good-key.pem"),
                "--tls-client-ca", try path("ca.pem"), "--tls-client", "optional", "--log-level", "debug",
                "--auth-token-file", try CallerTests.tokenFile(),
            ] + options)
    }

    /// What a caller shows, and how its call ends.
    private struct Case {
        var token: String?
        var hasCertificate = false
        var outcome: String
    }

    private static func check(_ server: ServerProcess, _ cases: [Case]) async throws {
        for test in cases {
            let ca = try path("ca.pem")
            var options = ["--cacert", ca]
            var foreign = ["--ca", ca]
            if let token = test.token {
                options += ["--token-file", try CallerTests.file(token)]
                foreign += ["--token", token]
            }
            if test.hasCertificate {
                let (certificate, key) = (try path("good.pem"), try path("good-key.pem"))
                options += ["--cert", certificate, "--key", key]
                foreign += ["--cert", certificate, key]
            }
            let result = try await Tool.run(
                "sum-client", ["--target", server.address] + options + ["40", "2"])
            let isRefused = test.outcome != "42"
            #expect(result.output == (isRefused ? "" : "42\n"), "\(result.errors)")
            #expect(result.errors == (isRefused ? "sum-client: \(test.outcome)\n" : ""))
            guard ForeignPeer.isBuilt else { continue }
            let output = try await ForeignPeer.run("client.py", [server.address] + foreign, [40, 2])
            #expect(output == "\(test.outcome.replacing(":", with: "", maxReplacements: 1))\n")
        }
        let (status, log) = await server.stop()
        #expect(status == 0)
        for token in [CallerTests.allowed, CallerTests.denied] { #expect(!log.contains(token)) }
    }

    @Test("abuse-A1: a token or a certificate suffices")
    func either() async throws {
        let server = try await Self.server(["--allow-peer", "localhost", "--allow-peer", "batch"])
        try await Self.check(
            server,
            [
                Case(outcome: Self.required), Case(token: CallerTests.allowed, outcome: "42"),
                Case(hasCertificate: true, outcome: "42"),
                Case(token: "unknown-0123456789", outcome: Self.required),
                Case(token: "unknown-0123456789", hasCertificate: true, outcome: "42"),
                Case(
                    token: CallerTests.denied,
                    outcome: "PERMISSION_DENIED: the caller 'other' may not call this server"),
            ])
    }

    @Test("abuse-A1: with --require-both, both are needed")
    func both() async throws {
        let server = try await Self.server(["--allow-peer", "localhost", "--require-both"])
        try await Self.check(
            server,
            [
                Case(hasCertificate: true, outcome: "UNAUTHENTICATED: a valid bearer token is required"),
                Case(
                    token: CallerTests.allowed, outcome: "UNAUTHENTICATED: a client certificate is required"),
                Case(token: CallerTests.allowed, hasCertificate: true, outcome: "42"),
            ])
    }

    @Test("abuse-A1: a certificate whose names are not on the list is denied")
    func otherName() async throws {
        let server = try await Self.server(["--allow-peer", "*.example"])
        try await Self.check(
            server,
            [
                Case(
                    hasCertificate: true,
                    outcome:
                        "PERMISSION_DENIED: the caller 'spiffe://example.org/adder' may not call this server")
            ])
    }

    @Test(
        "abuse-A9: a PROXY protocol header stands in front of TLS",
        .enabled(if: Proxy.haproxy.isInstalled, "make test installs the proxies"))
    func proxied() async throws {
        let server = try await Self.server(["--allow-peer", "localhost", "--proxy-protocol", "127.0.0.0/8"])
        let proxy = try ForwardingProxy(before: server.address, "send-proxy-v2")
        let certificate = ["--cert", try Self.path("good.pem"), "--key", try Self.path("good-key.pem")]
        let result = try await Tool.run(
            "sum-client",
            [
                "--target", proxy.address, "--cacert", try Self.path("ca.pem"), "--server-name", "localhost",
                "40", "2",
            ]
                + certificate)
        #expect(result.output == "42\n", "\(result.errors)")
        proxy.stop()
        let (status, log) = await server.stop()
        #expect(status == 0)
        #expect(log.contains("principal=localhost"))
    }
}
