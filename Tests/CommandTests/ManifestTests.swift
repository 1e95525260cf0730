import Foundation
import SumCore
import Testing

/// The Kubernetes manifests in `docs/deploy`. `make test` installs the validator, if PyPI can be reached.
@Suite(.timeLimit(.minutes(10))) struct ManifestTests {
    private static let folder = Repository.root.appending(path: "docs/deploy/kubernetes").path
    private static let kubectl = "/usr/bin/kubectl"

    /// What the Deployment says about the server.
    private struct Facts: Decodable {
        var arguments: [String]
        var port: Int
        var tag: String
        var user: Int
    }

    @Test(
        "The manifests are valid and consistent, and fit the image and the server",
        .enabled(if: DeployTools.areInstalled, "make test installs kubernetes-validate"))
    func valid() async throws {
        let result = try await DeployTools.run("manifests.py", [Self.folder])
        #expect(result.errors.isEmpty)
        let facts = try JSONDecoder().decode(Facts.self, from: Data(result.output.utf8))
        #expect(facts.port == Target.defaultPort)
        #expect(facts.tag == Version.current)
        let dockerfile = try String(
            contentsOf: Repository.root.appending(path: "Dockerfile"), encoding: .utf8)
        #expect(dockerfile.contains("\nUSER \(facts.user):\(facts.user)\n"))
        #expect(dockerfile.contains("\nEXPOSE \(facts.port)\n"))
        let server = try await ServerProcess("sum-server", ["--listen", "127.0.0.1:0"] + facts.arguments)
        #expect(try await Tool.run("sum-client", ["--target", server.address, "1", "2"]).output == "3\n")
    }

    @Test(
        "kustomize builds them, with the image's tag",
        .enabled(if: FileManager.default.isExecutableFile(atPath: kubectl), "kubectl is not installed"))
    func kustomize() async throws {
        let result = try await Tool.run(Self.kubectl, ["kustomize", Self.folder])
        #expect(result.errors.isEmpty)
        #expect(result.status == 0)
        #expect(result.output.contains("image: sum:\(Version.current)\n"))
        #expect(result.output.split(separator: "\n").count { $0.hasPrefix("kind: ") } == 5)
    }
}
