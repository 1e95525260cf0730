import Foundation
import ScriptedPeers
import Testing

@testable import SumCore

/// TLS with other implementations, in both versions.
@Suite(.timeLimit(.minutes(20))) struct ForeignTLSTests {
    /// Implementations of gRPC.
    enum Peer: CaseIterable {
        case python, cpp

        func client(_ address: String, as name: String? = nil) async throws -> String {
            let ca = try TestCertificates.path("ca.pem")
            let (certificate, key) = (
                try name.map { try TestCertificates.path("\($0).pem") },
                try name.map { try TestCertificates.path("\($0)-key.pem") }
            )
            var options: [String]
            switch self {
            case .python:
                options = [address, "--ca", ca]
                if let certificate, let key { options += ["--cert", certificate, key] }
                return try await ForeignPeer.run("client.py", options, [1, 2, 3])
            case .cpp:
                options = [address, "--cacert", ca]
                if let certificate, let key { options += ["--cert", certificate, "--key", key] }
                return try await ForeignPeer.run("cpp-client", options, [1, 2, 3])
            }
        }

        func server(_ name: String, clientCA: Bool = false) async throws -> ServerProcess {
            let (certificate, key) = (
                try TestCertificates.path("\(name).pem"), try TestCertificates.path("\(name)-key.pem")
            )
            let ca = try TestCertificates.path("ca.pem")
            switch self {
            case .python:
                return try await ForeignPeer.server(
                    "server.py", ["--cert", certificate, key] + (clientCA ? ["--ca", ca] : []))
            case .cpp:
                return try await ForeignPeer.server(
                    "cpp-server",
                    ["--tls-cert", certificate, "--tls-key", key] + (clientCA ? ["--tls-client-ca", ca] : []))
            }
        }

        /// With what its client's output begins if it did not get through.
        var unavailable: String {
            switch self {
            case .python: "UNAVAILABLE "
            case .cpp: "14 "
            }
        }
    }

    /// Whether a client believes servers with these certificates, and the reason that ours gives if it does not.
    private static let servers: [(name: String, reason: String?)] = [
        ("good", nil), ("rsa", nil), ("chain", nil), ("server-only", nil),
        ("other-ca-good", "is not signed by a CA in"), ("expired", "expired on 2021-01-01T00:00:00Z"),
        ("not-yet", "is not valid before 2098-01-01T00:00:00Z"), ("wrong-name", "is not for 127.0.0.1"),
        ("client-only", "or not for this use"), ("self-signed", "is self-signed"),
    ]

    /// Whether a server serves clients with these certificates.
    private static let clients: [(name: String?, isServed: Bool)] = [
        ("good", true), ("rsa", true), ("chain", true), ("client-only", true), ("wrong-name", true),
        (nil, false),
        ("other-ca-good", false), ("expired", false), ("not-yet", false), ("server-only", false),
        ("self-signed", false),
    ]

    private static let versions: [TLSMinimum] = [.v1_2, .v1_3]

    private func expect(
        _ output: String, isServed: Bool, _ peer: Peer, _ name: String?,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(
            isServed ? output == "6\n" : output.hasPrefix(peer.unavailable), "\(name ?? "none"): \(output)",
            sourceLocation: sourceLocation)
    }

    @Test(
        "tls-F1: clients of others believe our server as the table says, and it serves them as the table says",
        .enabled(if: ForeignPeer.isBuilt), arguments: Peer.allCases, versions)
    func foreignClients(_ peer: Peer, _ version: TLSMinimum) async throws {
        for row in Self.servers {
            try await TLSPeers.withServer(row.name, version) { address in
                expect(try await peer.client(address), isServed: row.reason == nil, peer, row.name)
            }
        }
        try await TLSPeers.withServer("good", version, clientCA: "ca") { address in
            for row in Self.clients {
                expect(try await peer.client(address, as: row.name), isServed: row.isServed, peer, row.name)
            }
        }
    }

    @Test(
        "tls-F2: our client believes servers of others as the table says, and says why not",
        .enabled(if: ForeignPeer.isBuilt), arguments: Peer.allCases)
    func foreignServers(_ peer: Peer) async throws {
        for row in Self.servers {
            let server = try await peer.server(row.name)
            for version in Self.versions {
                let result = try await TLSPeers.sum(server.address, version)
                #expect(result.sum == (row.reason == nil ? 6 : nil), "\(row.name): \(result.failure)")
                if let reason = row.reason {
                    #expect(result.failure.contains(reason), "\(row.name): \(result.failure)")
                }
            }
        }
    }

    @Test(
        "tls-F2: servers of others serve our client as the table says, and it says what is wrong",
        .enabled(if: ForeignPeer.isBuilt), arguments: Peer.allCases, versions)
    func foreignMutual(_ peer: Peer, _ version: TLSMinimum) async throws {
        let server = try await peer.server("good", clientCA: true)
        for row in Self.clients {
            let result = try await TLSPeers.sum(server.address, version, as: row.name)
            #expect(result.sum == (row.isServed ? 6 : nil), "\(row.name ?? "none"): \(result.failure)")
            #expect(
                row.isServed || result.failure.contains("certificate"),
                "\(row.name ?? "none"): \(result.failure)")
        }
    }

    // MARK: The tools

    private static func server(_ options: [String] = []) async throws -> ServerProcess {
        try await ServerProcess(
            "sum-server",
            [
                "--listen", "127.0.0.1:0", "--tls-cert", TestCertificates.path("good.pem"), "--tls-key",
                TestCertificates.path("good-key.pem"),
            ] + options)
    }

    @Test(
        "tls-F1: grpcio's client gets our server's sums, and the log tells how it went otherwise",
        .enabled(if: ForeignPeer.isBuilt))
    func serverLog() async throws {
        let server = try await Self.server()
        let ca = try TestCertificates.path("ca.pem")
        for (numbers, sum) in ForeignPeer.sums {
            #expect(
                try await ForeignPeer.run("client.py", [server.address, "--ca", ca], numbers) == "\(sum)\n")
        }
        let stranger = try await ForeignPeer.run(
            "client.py", [server.address, "--ca", TestCertificates.path("other-ca.pem")], [1])
        #expect(stranger.hasPrefix("UNAVAILABLE"), "\(stranger)")
        let clear = try await ForeignPeer.run("client.py", [server.address, "--timeout", "2"], [1])
        #expect(clear.hasPrefix("DEADLINE") || clear.hasPrefix("UNAVAILABLE"), "\(clear)")
        let (_, log) = await server.stop()
        // It sends no alert.
        #expect(log.contains("the client closed the connection in the TLS handshake"))
        #expect(log.contains("the client speaks HTTP/2 in clear text, but this port speaks TLS"))
    }

    @Test(
        "tls-F2: our client does not wait for grpcio's server to say that it closes, which it never does",
        .enabled(if: ForeignPeer.isBuilt))
    func noFarewell() async throws {
        let ca = ["--cacert", try TestCertificates.path("ca.pem")]
        let server = try await Peer.python.server("good")
        let client = try TLSPeers.client(of: server.address)
        #expect(try await client.sum(of: [1, 2, 3]) == 6)
        // Closing takes one turn of an event loop. Waiting for close_notify would take the 5 seconds that NIOSSL allows by
        // default.
        let started = ContinuousClock.now
        await client.close()
        #expect(ContinuousClock.now - started < .seconds(5))
        let clear = try await ForeignPeer.server("server.py")
        let mistaken = try await Tool.run(
            "sum-client", ["--target", clear.address, "1", "--connect-timeout", "1s"] + ca)
        #expect(mistaken.status == 78)
        #expect(mistaken.errors.contains("leave out --tls"), "\(mistaken.errors)")
    }

    @Test(
        "tls-F3: openssl agrees on versions, cipher suites and HTTP/2 with our server, and on nothing weaker")
    func openssl() async throws {
        let server = try await Self.server()
        let ca = try TestCertificates.path("ca.pem")
        func connect(_ options: [String]) async throws -> String {
            let result = try await Tool.run(
                "/usr/bin/openssl",
                ["s_client", "-connect", server.address, "-CAfile", ca, "-brief"] + options)
            return result.output + result.errors
        }
        let h2 = ["-alpn", "h2"]
        for version in ["-tls1_2", "-tls1_3"] {
            let agreed = try await connect(h2 + [version])
            #expect(agreed.contains("Verification: OK"), "\(agreed)")
        }
        for suite in [
            "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305",
        ] {
            let agreed = try await connect(h2 + ["-tls1_2", "-cipher", suite])
            #expect(agreed.contains("Ciphersuite: \(suite)"), "\(agreed)")
        }
        for weak in [
            ["-tls1_1", "-cipher", "ALL@SECLEVEL=0"], ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"],
            ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256"],
        ] {
            let refused = try await connect(h2 + weak)
            #expect(!refused.contains("CONNECTION ESTABLISHED"), "\(refused)")
        }
        _ = try await connect([])
        _ = try await connect(["-alpn", "http/1.1"])
        let (_, log) = await server.stop()
        #expect(log.contains("the client does not offer HTTP/2 in its TLS handshake (ALPN h2)"), "\(log)")
    }

    @Test("tls-F4: curl reaches our server by HTTP/2, and is told of its mistake without TLS")
    func curl() async throws {
        let server = try await Self.server()
        let port = server.address.split(separator: ":").last ?? ""
        let ca = try TestCertificates.path("ca.pem")
        let path = "/tutorial.NumberService/SumNumbers"
        let http2 = try await Tool.run(
            "/usr/bin/curl",
            [
                "-sS", "--http2", "--cacert", ca, "-w", "%{http_version} %{http_code}", "-X", "POST", "-H",
                "content-type: application/grpc", "-H", "te: trailers", "https://localhost:\(port)\(path)",
            ])
        #expect(http2.output.hasSuffix("2 200"), "\(http2.output) \(http2.errors)")
        let clear = try await Tool.run("/usr/bin/curl", ["-sS", "-i", "http://\(server.address)/"])
        #expect(clear.output.hasPrefix("HTTP/1.1 400 Bad Request"), "\(clear.output) \(clear.errors)")
        #expect(clear.output.contains("This port speaks TLS"))
    }
}
