import Foundation
import ScriptedPeers
import Testing

/// A server whose certificate is renewed while it runs.
@Suite(.timeLimit(.minutes(10))) struct TLSReloadTests {
    /// Files that are replaced as certbot and cert-manager do it: by renaming.
    private final class Files {
        let folder = FileManager.default.temporaryDirectory.appending(path: "sum-reload-\(UUID())")
        var certificate: URL { folder.appending(path: "cert.pem") }
        var key: URL { folder.appending(path: "key.pem") }

        init() throws {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        }

        deinit {
            try? FileManager.default.removeItem(at: folder)
        }

        func put(_ name: String, key keyName: String) throws {
            for (source, file) in [("\(name).pem", certificate), ("\(keyName)-key.pem", key)] {
                try Data(contentsOf: URL(filePath: TestCertificates.path(source))).write(
                    to: file, options: .atomic)
            }
        }
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

    @Test(
        "tls-R1: SIGHUP replaces the certificate for new connections, running calls go on, and faults change nothing"
    )
    func reload() async throws {
        let files = try Files()
        try files.put("good", key: "good")
        let server = try await ServerProcess(
            "sum-server",
            [
                "--listen", "127.0.0.1:0", "--log-level", "trace", "--tls-cert", files.certificate.path,
                "--tls-key",
                files.key.path,
            ])
        let ca = ["--cacert", try TestCertificates.path("ca.pem")]
        let input = Pipe()
        async let running = Tool.run(
            "sum-client", ["--target", server.address] + ca, input: .handle(input.fileHandleForReading))
        try input.fileHandleForWriting.write(contentsOf: Data("1\n".utf8))
        await server.waitForCall()
        #expect(try await serial(of: server) == serial(of: "good"))

        // Between the two writes of a renewal.
        try files.put("rsa", key: "good")
        server.signal(SIGHUP)
        await server.waitFor("not reloaded, what was in use stays: the key in ")
        #expect(try await serial(of: server) == serial(of: "good"))
        try files.put("rsa", key: "rsa")
        server.signal(SIGHUP)
        await server.waitFor("reloaded: the certificate (localhost, 127.0.0.1, ::1), serial number ")
        #expect(try await serial(of: server) == serial(of: "rsa"))
        server.signal(SIGHUP)
        await server.waitFor("nothing to reload: no file has changed")

        let new = try await Tool.run("sum-client", ["--target", server.address, "1", "2"] + ca)
        #expect(new.output == "3\n", "\(new.errors)")
        try input.fileHandleForWriting.write(contentsOf: Data("2\n".utf8))
        try input.fileHandleForWriting.close()
        let result = try await running
        #expect(result.output == "3\n", "\(result.errors)")
        #expect(await server.stop().status == 0)
    }
}
