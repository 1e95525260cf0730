import Foundation
import Testing

/// The commands of `docs/certificates.md` that need nothing but openssl.
@Suite(.timeLimit(.minutes(5))) struct CertificateRecipeTests {
    @Test("The certificates of the page's own CA serve both tools")
    func ownCA() async throws {
        let page = try String(
            contentsOf: Repository.root.appending(path: "docs/certificates.md"), encoding: .utf8)
        let begin = try #require(page.firstRange(of: "```sh\n"))
        let end = try #require(page[begin.upperBound...].firstRange(of: "```"))
        let commands = String(page[begin.upperBound..<end.lowerBound])
        let folder = FileManager.default.temporaryDirectory.appending(path: "sum-recipe-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let made = try await Tool.run("/bin/sh", ["-ec", "cd \(folder)\n\(commands)"])
        try #require(made.status == 0, "\(made.errors)")
        let server = try await ServerProcess(
            "sum-server",
            [
                "--listen", "127.0.0.1:0", "--tls-cert", "\(folder)/server.pem", "--tls-key",
                "\(folder)/server-key.pem", "--tls-client-ca", "\(folder)/ca.pem",
            ])
        let options = ["--target", server.address, "--cacert", "\(folder)/ca.pem"]
        let known = try await Tool.run(
            "sum-client",
            options + ["--cert", "\(folder)/client.pem", "--key", "\(folder)/client-key.pem", "1", "2", "3"])
        #expect(known.output == "6\n", "\(known.errors)")
        let unknown = try await Tool.run("sum-client", options + ["1"])
        #expect(unknown.output == "")
        #expect(unknown.errors.contains("the server wants a client certificate"), "\(unknown.errors)")
        #expect(await server.stop().status == 0)
    }
}
