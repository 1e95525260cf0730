import Foundation
import Testing

/// Compiles the programs in the docs against the modules of the tests.
@Suite struct TutorialTests {
    @Test(
        "Programs in the docs compile without a warning",
        arguments: [
            ("hosting.md", "hosting.swift"),
            ("hosting.md", "running.swift"), ("hosting.md", "lifecycle.swift"),
            ("hosting.md", "reflection.swift"), ("hosting.md", "interceptors.swift"),
            ("hosting.md", "stopping.swift"), ("hosting.md", "authorizing.swift"),
            ("hosting.md", "tracing.swift"), ("hosting.md", "batches.swift"), ("calling.md", "calling.swift"),
            ("calling.md", "client-interceptors.swift"), ("calling.md", "several-servers.swift"),
            ("errors.md", "errors.swift"), ("metadata.md", "metadata.swift"),
            ("deadlines.md", "deadlines.swift"), ("flow-control.md", "flow-control.swift"),
            ("testing.md", "testing.swift"), ("testing.md", "testing-handlers.swift"),
            ("tls.md", "tls.swift"),
            ("observing.md", "metrics.swift"), ("observing.md", "pages.swift"),
        ])
    func compiles(_ page: String, _ name: String) async throws {
        let program = try #require(try Self.block(named: name, in: page))
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).swift")
        defer { try? FileManager.default.removeItem(at: file) }
        // A single file is a program even if its name is not main.swift.
        try program.write(to: file, atomically: true, encoding: .utf8)
        let modules = Tool.directory.appending(path: "Modules").path
        let maps = ModuleMaps.all.flatMap { ["-Xcc", "-fmodule-map-file=\($0.path)"] }
        let result = try await Tool.run(
            "/usr/bin/env",
            ["swiftc", "-typecheck", "-swift-version", "6", "-warnings-as-errors", "-I", modules] + maps + [
                file.path
            ])
        #expect(result.errors.isEmpty)
        #expect(result.status == 0)
    }

    /// ExampleTests compiles and runs it.
    @Test("The tutorial's programs are those of its example", arguments: ["server", "client"])
    func tutorial(_ role: String) throws {
        let program = try Self.block(named: "\(role).swift", in: "tutorial.md")
        let file = ExampleProgram.folder.appending(path: "tutorial/Sources/\(role)/main.swift")
        #expect(try program.map { $0 + "\n" } == String(contentsOf: file, encoding: .utf8))
    }

    /// The lines of the fenced block of a page in docs that begins with "```swift NAME".
    private static func block(named name: String, in page: String) throws -> String? {
        let page = try String(contentsOf: Repository.root.appending(path: "docs/\(page)"), encoding: .utf8)
        guard let start = page.range(of: "```swift \(name)\n"),
            let end = page.range(of: "\n```", range: start.upperBound..<page.endIndex)
        else { return nil }
        return String(page[start.upperBound..<end.lowerBound])
    }
}
