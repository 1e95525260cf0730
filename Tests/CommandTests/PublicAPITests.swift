import Foundation
import Testing

/// What the libraries make public, as the compiler sees it.
@Suite struct PublicAPITests {
    private struct Graph: Decodable {
        var symbols: [Symbol]
    }

    private struct Symbol: Decodable {
        struct DocComment: Decodable {}
        var pathComponents: [String]
        var docComment: DocComment?
    }

    /// Runs a script of the repository on what was built with the tests.
    private func run(_ script: String, _ argument: String) async throws -> Tool.Result {
        try await Tool.run(
            "/usr/bin/env",
            [
                "PRODUCTS=\(Tool.directory.path)", "PYTHONDONTWRITEBYTECODE=1",
                Repository.root.appending(path: "scripts/\(script)").path, argument,
            ])
    }

    @Test("Everything that is public is documented", .timeLimit(.minutes(10)))
    func complete() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: folder) }
        let result = try await run("symbol-graphs", folder.path)
        #expect(result.errors.isEmpty)
        #expect(result.status == 0)
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        var (undocumented, count): ([String], Int) = ([], 0)
        for file in files {
            let symbols = try JSONDecoder().decode(Graph.self, from: Data(contentsOf: file)).symbols
            let module = file.lastPathComponent.prefix { $0.isLetter }
            count += symbols.count
            undocumented += symbols.filter { $0.docComment == nil }.map {
                "\(module).\($0.pathComponents.joined(separator: "."))"
            }
        }
        #expect(count > 500)
        #expect(undocumented == [])
    }

    @Test("What is public is what docs/public-api lists", .timeLimit(.minutes(10)))
    func listed() async throws {
        let result = try await run("public-api", "--check")
        #expect(result.output == "")
        #expect(result.errors == "")
        #expect(result.status == 0)
    }
}
