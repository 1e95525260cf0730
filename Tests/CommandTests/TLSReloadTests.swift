import Foundation
import ScriptedPeers
import SumCore
import Testing

/// A server whose certificate is renewed while it runs.
@Suite(.timeLimit(.minutes(20))) struct TLSReloadTests {
    /// Files that are replaced as certbot and cert-manager do it: by renaming.
    private final class Files: Sendable {
        let folder = FileManager.default.temporaryDirectory.appending(path: "sum-reload-\(UUID())")
        var certificate: URL { folder.appending(path: "cert.pem") }
        var key: URL { folder.appending(path: "key.pem") }
        var clientCAs: URL { folder.appending(path: "client-ca.pem") }

        init() throws {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        }

        deinit {
            try? FileManager.default.removeItem(at: folder)
        }

        static func read(_ file: String) throws -> Data {
            try Data(contentsOf: URL(filePath: TestCertificates.path(file)))
        }

        func put(_ name: String, key keyName: String? = nil) throws {
            try Self.read("\(name).pem").write(to: certificate, options: .atomic)
            try Self.read("\(keyName ?? name)-key.pem").write(to: key, options: .atomic)
        }
    }

    private static let refused = "not reloaded, what was in use stays: "
    private static let reloaded = "reloaded: the certificate "

    private static func server(_ files: Files, _ options: [String] = []) async throws -> ServerProcess {
        try await ServerProcess(
            "sum-server",
            [
                "--listen", "127.0.0.1:0", "--tls-cert", files.certificate.path, "--tls-key", files.key.path,
            ] + options)
    }

    /// Sends SIGHUP and waits for the line that tells the outcome.
    private static func reload(_ server: ServerProcess, _ line: String) async {
        server.signal(SIGHUP)
        await server.waitFor(line)
    }

    /// The serial number that new connections are shown.
    private func serial(of server: ServerProcess) async throws -> String {
        let shell =
            "openssl s_client -connect \(server.address) -alpn h2 </dev/null 2>/dev/null | openssl x509 -noout -serial"
        return try await Tool.run("/bin/sh", ["-c", shell]).output
    }

    private func serial(of name: String) async throws -> String {
        try await Tool.run(
            "/usr/bin/openssl", ["x509", "-noout", "-serial", "-in", TestCertificates.path("\(name).pem")]
        ).output
    }

    private static func client(
        of server: ServerProcess, _ observers: [any ClientObserver] = []
    ) throws -> GRPCClient {
        var tls = ClientTLS.Configuration()
        tls.roots = .certificates(.file(try TestCertificates.path("ca.pem")))
        var configuration = GRPCClient.Configuration()
        configuration.tls = try ClientTLS(tls)
        configuration.connectTimeout = .seconds(Tool.limit)
        configuration.observers = observers
        return GRPCClient(target: try Target(server.address), configuration: configuration)
    }

    @Test(
        "tls-R1: SIGHUP replaces the certificate for new connections, running calls go on, and faults change nothing"
    )
    func reload() async throws {
        let files = try Files()
        try files.put("good")
        let server = try await Self.server(files, ["--log-level", "trace"])
        let ca = ["--cacert", try TestCertificates.path("ca.pem")]
        let input = Pipe()
        async let running = Tool.run(
            "sum-client", ["--target", server.address] + ca, input: .handle(input.fileHandleForReading))
        try input.fileHandleForWriting.write(contentsOf: Data("1\n".utf8))
        await server.waitForCall()
        #expect(try await serial(of: server) == serial(of: "good"))

        // Between the two writes of a renewal.
        try files.put("rsa", key: "good")
        await Self.reload(server, Self.refused + "the key in ")
        #expect(try await serial(of: server) == serial(of: "good"))
        try files.put("rsa")
        await Self.reload(server, Self.reloaded + "(localhost, 127.0.0.1, ::1), serial number ")
        #expect(try await serial(of: server) == serial(of: "rsa"))
        await Self.reload(server, "nothing to reload: no file has changed")

        let new = try await Tool.run("sum-client", ["--target", server.address, "1", "2"] + ca)
        #expect(new.output == "3\n", "\(new.errors)")
        try input.fileHandleForWriting.write(contentsOf: Data("2\n".utf8))
        try input.fileHandleForWriting.close()
        let result = try await running
        #expect(result.output == "3\n", "\(result.errors)")
        #expect(await server.stop().status == 0)
    }

    @Test(
        "tls-R1: during renewals, good and bad, no call and no stream fails, and each new connection gets the newest certificate"
    )
    func load() async throws {
        let files = try Files()
        try files.put("good")
        let server = try await Self.server(files)
        // Each stream has a connection of its own, so that it has begun with a certificate of its own.
        var streams: [(client: GRPCClient, call: SumNumbersCall)] = []
        func openStreams(_ count: Int) async throws {
            for _ in 0..<count {
                let client = try Self.client(of: server)
                let call = client.sumNumbers()
                try await call.send(contentsOf: [1])
                streams.append((client, call))
            }
        }
        func sendOnAllStreams() async throws {
            for stream in streams { try await stream.call.send(contentsOf: [1]) }
        }
        try await openStreams(4)
        let series = CallSeries()
        let caller = try Self.client(of: server, [series])
        try await series.run(with: caller) {
            for name in ["rsa", "good", "chain"] {
                let before = try await serial(of: server)
                let spoilers: [() throws -> Void] = [
                    { try files.put(name, key: "server-only") },
                    { try Files.read("\(name).pem").prefix(500).write(to: files.certificate) },
                    { try FileManager.default.removeItem(at: files.key) },
                    { try Data().write(to: files.key) },
                ]
                for spoil in spoilers {
                    try spoil()
                    await Self.reload(server, Self.refused)
                    #expect(try await serial(of: server) == before)
                    try await series.wait(for: 20)
                }
                try files.put(name)
                await Self.reload(server, Self.reloaded)
                #expect(try await serial(of: server) == serial(of: name))
                try await openStreams(2)
                try await sendOnAllStreams()
                // Whoever connects from now on succeeds, too.
                let new = try Self.client(of: server)
                #expect(try await new.sum(of: [1, 2]) == 3)
                await new.close()
                try await series.wait(for: 100)
            }
        }
        #expect(series.failures == [])
        #expect(streams.count == 10)
        for (index, stream) in streams.enumerated() {
            // The first four have sent with each renewal, the others from theirs on.
            let sum = index < 4 ? 4 : 1 + 3 - (index - 4) / 2
            #expect(try await stream.call.closeAndReceive() == Int32(sum))
            await stream.client.close()
        }
        await caller.close()
        #expect(await server.stop().status == 0)
    }

    @Test("tls-R1: CAs of clients are replaced too, and never by none")
    func clientCAs() async throws {
        let files = try Files()
        try files.put("good")
        try Files.read("ca.pem").write(to: files.clientCAs)
        let server = try await Self.server(files, ["--tls-client-ca", files.clientCAs.path])
        func isServed(_ name: String?) async throws -> Bool {
            let identity = try name.map {
                [
                    "--cert", try TestCertificates.path("\($0).pem"), "--key",
                    try TestCertificates.path("\($0)-key.pem"),
                ]
            }
            let result = try await Tool.run(
                "sum-client",
                ["--target", server.address, "--cacert", TestCertificates.path("ca.pem"), "1", "2"]
                    + (identity ?? []))
            return result.output == "3\n"
        }
        func expectServed(_ name: String, not others: String?...) async throws {
            #expect(try await isServed(name))
            for other in others { #expect(try await !isServed(other), "\(other ?? "none")") }
        }
        try await expectServed("good", not: "other-ca-good", nil)
        // None at all would mean that every certificate, or none, is accepted.
        let faults: [(Data, String)] = [
            (Data(), "is empty"), (Data("\n".utf8), "has no certificate in PEM"),
            (try Files.read("good-key.pem"), "has no certificate in PEM"),
            (try Files.read("other-ca.pem").prefix(300), "ends within a certificate"),
        ]
        for (bytes, reason) in faults {
            try bytes.write(to: files.clientCAs, options: .atomic)
            await Self.reload(server, reason)
            try await expectServed("good", not: nil)
        }
        try Files.read("other-ca.pem").write(to: files.clientCAs, options: .atomic)
        await Self.reload(server, Self.reloaded)
        try await expectServed("other-ca-good", not: "good", nil)
        #expect(await server.stop().status == 0)
    }

    @Test("tls-R2: memory and file descriptors do not grow with the number of renewals")
    func memory() async throws {
        let files = try Files()
        try files.put("good")
        let server = try await Self.server(
            files, ["--tls-client-ca", try TestCertificates.path("ca.pem"), "--tls-client", "optional"])
        let names = ["rsa", "good"]
        func renew(_ count: Int) async throws {
            for number in 0..<count {
                try files.put(names[number % 2])
                await Self.reload(server, Self.reloaded)
                if number % 10 == 0 { try await Tool.offload { Result { try server.callForSum() } }.get() }
            }
        }
        // What any renewal needs does not count.
        try await renew(10)
        let before = try server.footprint()
        try await renew(Scale.count(200, full: 1000))
        try await server.expectUnharmed(since: before)
        #expect(await server.stop().status == 0)
    }
}
