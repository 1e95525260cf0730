import Foundation
import ScriptedPeers
import Testing

/// nginx, HAProxy and Envoy between TLS and TLS, with the configurations in `docs/deploy/tls`.
@Suite(
    .enabled(if: Proxy.nginx.isInstalled && Proxy.haproxy.isInstalled, "make test installs the proxies"),
    .timeLimit(.minutes(10)))
struct TLSProxyTests {
    /// What a server logs for a call with three small numbers; health checks send none.
    private static let threeNumbers = "bytes=21 "

    private static func path(_ file: String) throws -> String { try TestCertificates.path(file) }

    /// The shipped configuration, or what its comments say is left without client certificates.
    private static func configuration(of proxy: Proxy, withClientCertificates: Bool) throws -> String {
        let text = try String(contentsOf: proxy.tlsConfiguration, encoding: .utf8)
        guard !withClientCertificates else { return text }
        #expect(text.contains("# mTLS\n"))
        return text.split(separator: "\n", omittingEmptySubsequences: false)
            .filter { !$0.hasSuffix("# mTLS") }
            .map {
                $0.replacing(
                    " ca-file /etc/sum/tls/ca.pem verify required", with: "",
                    maxReplacements: $0.contains("bind") ? 1 : 0)
            }
            .joined(separator: "\n")
    }

    @Test(
        "TLS, or TLS with client certificates, to a proxy and from it to the servers",
        arguments: Proxy.installed, [true, false])
    func sums(_ proxy: Proxy, withClientCertificates: Bool) async throws {
        let own = ["--tls-cert", try Self.path("good.pem"), "--tls-key", try Self.path("good-key.pem")]
        let authority = withClientCertificates ? ["--tls-client-ca", try Self.path("ca.pem")] : []
        let options = ["--listen", "127.0.0.1:0", "--log-level", "debug"] + own + authority
        let servers = [
            try await ServerProcess("sum-server", options), try await ServerProcess("sum-server", options),
        ]
        let pair = try await ProxiedPair(
            proxy,
            tls: Self.configuration(of: proxy, withClientCertificates: withClientCertificates),
            servers: servers.map(\.address))
        try pair.start()
        let trusting = ["--tls", "--cacert", try Self.path("ca.pem")]
        let known = trusting + ["--cert", try Self.path("good.pem"), "--key", try Self.path("good-key.pem")]
        let good = withClientCertificates ? known : trusting

        let calls = Task {
            while !Task.isCancelled {
                let result = try await pair.client(good + ["1", "2", "3"])
                #expect(result.output == "6\n", "\(result.errors)")
            }
        }
        for server in servers { await server.waitFor(Self.threeNumbers) }
        calls.cancel()
        try await calls.value
        let text = String(repeating: "300\n", count: 300_000)
        #expect(try await pair.client(good, input: .text(text)).output == "90000000\n")

        if withClientCertificates {
            let unknown = try await pair.client(trusting + ["1"])
            #expect(unknown.output == "")
            #expect(unknown.status != 0)
        }
        let stranger = try await pair.client(["--tls", "--cacert", try Self.path("other-ca.pem"), "1"])
        #expect(stranger.output == "")
        #expect(stranger.errors.contains("not signed by a CA in"), "\(stranger.errors)")
        let clear = try await pair.client(["--connect-timeout", "5s", "1"])
        #expect(clear.output == "")
        #expect(clear.status == 78, "\(clear.errors)")
        for server in servers { #expect(await server.stop().status == 0) }
    }

    @Test("A proxy refuses a server whose certificate is of another CA", arguments: Proxy.installed)
    func wrongServer(_ proxy: Proxy) async throws {
        let options = [
            "--listen", "127.0.0.1:0", "--tls-cert", try Self.path("other-ca-good.pem"), "--tls-key",
            try Self.path("other-ca-good-key.pem"),
        ]
        let server = try await ServerProcess("sum-server", options)
        let pair = try await ProxiedPair(
            proxy, tls: Self.configuration(of: proxy, withClientCertificates: true),
            servers: [server.address, server.address])
        try pair.start()
        let result = try await pair.client([
            "--tls", "--cacert", try Self.path("ca.pem"), "--cert", try Self.path("good.pem"), "--key",
            try Self.path("good-key.pem"), "1",
        ])
        #expect(result.output == "")
        #expect(result.status == 78, "\(result.errors)")
        #expect(await server.stop().status == 0)
    }
}
