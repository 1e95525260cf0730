import Foundation
import ScriptedPeers
import Testing

/// TLS of the tools.
@Suite(.timeLimit(.minutes(10))) struct TLSTests {
    private static func path(_ file: String) throws -> String { try TestCertificates.path(file) }

    /// A server with a certificate.
    private static func server(
        _ name: String = "good", _ options: [String] = [], listen: [String] = ["127.0.0.1:0"]
    ) async throws -> ServerProcess {
        try await ServerProcess(
            "sum-server",
            listen.flatMap { ["--listen", $0] } + [
                "--tls-cert", try path("\(name).pem"), "--tls-key", try path("\(name)-key.pem"),
            ] + options)
    }

    private static func mutual(_ mode: [String] = []) async throws -> ServerProcess {
        try await server("good", ["--tls-client-ca", try path("ca.pem")] + mode)
    }

    /// sum-client with numbers that have the sum 6.
    private static func sum(_ target: String, _ options: [String]) async throws -> Tool.Result {
        try await Tool.run("sum-client", ["--target", target, "1", "2", "3"] + options)
    }

    private static func certificate(_ name: String) throws -> [String] {
        ["--cert", try path("\(name).pem"), "--key", try path("\(name)-key.pem")]
    }

    /// For env(1): without the variables that name CAs.
    private static let noRoots = ["-u", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "-u", "SSL_CERT_FILE"]

    @Test("tls-T1: the pair adds over TLS, with and without certificates of clients, and by several threads")
    func pair() async throws {
        let ca = ["--cacert", try Self.path("ca.pem")]
        let server = try await Self.server()
        for options in [
            ca, ["--tls"] + ca, ca + ["--server-name", "localhost"], ca + ["--spread", "--chunk", "1"],
        ] {
            let result = try await Self.sum(server.address, options)
            #expect(result.output == "6\n", "\(result.errors)")
        }
        let health = try await Tool.run("sum-client", ["--target", server.address, "--health"] + ca)
        #expect(health.output == "SERVING\n", "\(health.errors)")
        #expect(await server.stop().status == 0)

        let mutual = try await Self.mutual()
        let known = try await Self.sum(mutual.address, ca + Self.certificate("good"))
        #expect(known.output == "6\n", "\(known.errors)")
        let unknown = try await Self.sum(mutual.address, ca)
        #expect(unknown.status == 78)
        #expect(
            unknown.errors.contains("the server wants a client certificate: give one with --cert and --key"))
        let (status, log) = await mutual.stop()
        #expect(status == 0)
        #expect(log.contains("the client has shown no certificate"))
    }

    @Test("tls-T2: a Unix domain socket of the same server stays in clear text, and --spread verifies names")
    func unix() async throws {
        let path = Tool.temporaryPath()
        let server = try await Self.server(listen: ["127.0.0.1:0", "unix:\(path)"])
        let clear = try await Self.sum("unix:\(path)", [])
        #expect(clear.output == "6\n", "\(clear.errors)")
        let port = server.address.split(separator: ":").last ?? ""
        let ca = ["--cacert", try Self.path("ca.pem")]
        let spread = try await Self.sum("localhost:\(port)", ca + ["--spread", "--chunk", "2"])
        #expect(spread.output == "6\n", "\(spread.errors)")
        let wrong = try await Self.sum(server.address, ca + ["--server-name", "sum.example"])
        #expect(wrong.status == 78)
        #expect(wrong.errors.contains("is not for sum.example"))
    }

    @Test(
        "tls-T3: the system's CAs can be replaced by the environment, and a certificate they do not know is refused"
    )
    func systemRoots() async throws {
        let server = try await Self.server()
        let client = Tool.directory.appending(path: "sum-client").path
        for variable in ["SSL_CERT_FILE", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"] {
            let result = try await Tool.run(
                "/usr/bin/env",
                Self.noRoots + [
                    "\(variable)=\(try Self.path("ca.pem"))", client, "--tls", "--target", server.address,
                    "1",
                ])
            #expect(result.output == "1\n", "\(result.errors)")
        }
        let other = try Self.path("other-ca.pem")
        let result = try await Tool.run(
            "/usr/bin/env",
            Self.noRoots + ["SSL_CERT_FILE=\(other)", client, "--tls", "--target", server.address, "1"])
        #expect(result.errors.contains("is not signed by a CA in \(other)"), "\(result.errors)")
        #expect(result.status == 78)
    }

    @Test("tls-T4: faults of options and files are reported before anything is opened")
    func faults() async throws {
        let (good, key, ca) = (
            try Self.path("good.pem"), try Self.path("good-key.pem"), try Self.path("ca.pem")
        )
        let usage: [(String, [String], String)] = [
            ("sum-server", ["--tls-cert", good], "--tls-cert requires --tls-key"),
            ("sum-server", ["--tls-key", key], "--tls-key requires --tls-cert"),
            ("sum-server", ["--tls-client-ca", ca], "--tls-client-ca requires --tls-cert and --tls-key"),
            (
                "sum-server", ["--tls-cert", good, "--tls-key", key, "--tls-client", "optional"],
                "--tls-client requires --tls-client-ca"
            ),
            (
                "sum-server", ["--tls-cert", good, "--tls-key", key, "--listen", "unix:/nowhere/x"],
                "--tls-cert needs a TCP address: Unix domain sockets are served in clear text"
            ),
            ("sum-client", ["--cert", good, "1"], "--cert requires --key"),
            ("sum-client", ["--key", key, "1"], "--key requires --cert"),
            (
                "sum-client", ["--key-passphrase-file", try Self.path("passphrase"), "1"],
                "--key-passphrase-file requires --cert and --key"
            ),
            ("sum-client", ["-k", "1"], "the server's certificate is always verified"),
            ("sum-client", ["--insecure", "1"], "the server's certificate is always verified"),
        ]
        for (tool, options, reason) in usage {
            let result = try await Tool.run(tool, options)
            #expect(result.errors.hasPrefix("\(tool): \(reason)"), "\(result.errors)")
            #expect(result.status == 64)
        }
        let files: [(String, [String], String)] = [
            (
                "sum-server", ["--tls-cert", "/nowhere/c", "--tls-key", key],
                "cannot read /nowhere/c: No such file or directory"
            ),
            (
                "sum-server", ["--tls-cert", good, "--tls-key", try Self.path("rsa-key.pem")],
                "the key in \(try Self.path("rsa-key.pem")) does not belong to the certificate in \(good)"
            ),
            (
                "sum-client", ["--cacert", "/nowhere/c", "1"],
                "cannot read /nowhere/c: No such file or directory"
            ),
            ("sum-client", ["--cacert", key, "1"], "\(key) has no certificate in PEM"),
        ]
        for (tool, options, reason) in files {
            let result = try await Tool.run(tool, options)
            #expect(result.errors == "\(tool): \(reason)\n")
            #expect(result.status == 1)
        }
        let expired = try await Self.server("expired")
        let (_, log) = await expired.stop()
        #expect(log.contains("expired on 2021-01-01T00:00:00Z"), "\(log)")
    }

    @Test("tls-T4: keys may be encrypted, at both ends")
    func encryptedKeys() async throws {
        let key = try Self.path("encrypted-key.pem")
        let passphrase = try Self.path("passphrase")
        let server = try await Self.server(
            "good",
            [
                "--tls-key", key, "--tls-key-passphrase-file", passphrase, "--tls-client-ca",
                Self.path("ca.pem"),
            ])
        let options = [
            "--cacert", try Self.path("ca.pem"), "--cert", try Self.path("good.pem"), "--key", key,
        ]
        let result = try await Self.sum(server.address, options + ["--key-passphrase-file", passphrase])
        #expect(result.output == "6\n", "\(result.errors)")
        for (words, reason) in [
            ([], "the key in \(key) is encrypted, and no passphrase is given"),
            (
                ["--key-passphrase-file", try Self.path("wrong-passphrase")],
                "the key in \(key) cannot be decrypted: is it the passphrase of this key?"
            ),
            (["--key-passphrase-file", "/nowhere/p"], "cannot read /nowhere/p: No such file or directory"),
        ] {
            let result = try await Self.sum(server.address, options + words)
            #expect(result.errors == "sum-client: \(reason)\n")
            #expect(result.status == 1)
        }
    }

    @Test(
        "tls-T5: SSLKEYLOGFILE gets the secrets of both tools, in a file for its owner only, with a warning")
    func keyLog() async throws {
        let path = Tool.temporaryPath()
        defer { unlink(path) }
        let server = try await ServerProcess(
            "/usr/bin/env",
            [
                "SSLKEYLOGFILE=\(path)", Tool.directory.appending(path: "sum-server").path, "--listen",
                "127.0.0.1:0",
                "--tls-cert", Self.path("good.pem"), "--tls-key", Self.path("good-key.pem"),
            ])
        let client = try await Tool.run(
            "/usr/bin/env",
            [
                "SSLKEYLOGFILE=\(path)", Tool.directory.appending(path: "sum-client").path, "--cacert",
                Self.path("ca.pem"), "--target", server.address, "1",
            ])
        #expect(client.output == "1\n")
        #expect(client.errors.contains("warning: the secrets of TLS are written to \(path)"))
        #expect(await server.stop().log.contains("the secrets of TLS are written to \(path)"))
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        #expect(lines.count { $0.hasPrefix("CLIENT_TRAFFIC_SECRET_0 ") } == 2)
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }

    @Test(
        "tls-T6: through an HTTP proxy, TLS is with the server, whose name is verified",
        .enabled(if: ForwardProxy.Kind.tinyproxy.isInstalled))
    func tunnel() async throws {
        let server = try await Self.server()
        let proxy = try ForwardProxy(.tinyproxy)
        let port = server.address.split(separator: ":").last ?? ""
        let options = ["--proxy", "http://\(proxy.address)", "--cacert", try Self.path("ca.pem")]
        let result = try await Self.sum("localhost:\(port)", options)
        #expect(result.output == "6\n", "\(result.errors)")
        let wrong = try await Self.sum("localhost:\(port)", options + ["--server-name", "sum.example"])
        #expect(wrong.errors.contains("through proxy"), "\(wrong.errors)")
        #expect(wrong.errors.contains("is not for sum.example"), "\(wrong.errors)")
    }
}
