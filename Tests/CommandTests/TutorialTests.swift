import Foundation
import Testing

/// Compiles the programs in the docs against the modules of the tests.
@Suite struct TutorialTests {
    @Test(
        "Programs in the docs compile without a warning",
        arguments: [
            ("tutorial.md", "server.swift"), ("tutorial.md", "client.swift"), ("hosting.md", "hosting.swift"),
            ("hosting.md", "calling.swift"),
            ("hosting.md", "reflection.swift"), ("hosting.md", "interceptors.swift"),
            ("hosting.md", "client-interceptors.swift"), ("hosting.md", "errors.swift"),
            ("hosting.md", "stopping.swift"), ("hosting.md", "authorizing.swift"),
            ("hosting.md", "several-servers.swift"), ("hosting.md", "tracing.swift"),
            ("observing.md", "metrics.swift"), ("observing.md", "pages.swift"),
        ])
    func compiles(_ page: String, _ name: String) async throws {
        let page = try String(contentsOf: Repository.root.appending(path: "docs/\(page)"), encoding: .utf8)
        let program = try #require(Self.block(named: name, in: page))
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).swift")
        defer { try? FileManager.default.removeItem(at: file) }
        // A single file is a program even if its name is not main.swift.
        try program.write(to: file, atomically: true, encoding: .utf8)
        let modules = Tool.directory.appending(path: "Modules").path
        let maps = Self.moduleMaps().flatMap { ["-Xcc", "-fmodule-map-file=\($0.path)"] }
        let result = try await Tool.run(
            "/usr/bin/env",
            ["swiftc", "-typecheck", "-swift-version", "6", "-warnings-as-errors", "-I", modules] + maps + [
                file.path
            ])
        #expect(result.errors.isEmpty)
        #expect(result.status == 0)
    }

    /// The lines of the fenced block that begins with "```swift NAME".
    private static func block(named name: String, in page: String) -> String? {
        guard let start = page.range(of: "```swift \(name)\n"),
            let end = page.range(of: "\n```", range: start.upperBound..<page.endIndex)
        else { return nil }
        return String(page[start.upperBound..<end.lowerBound])
    }

    /// Those of the C modules below SumCore: some in the dependencies' sources, some made by the build.
    private static func moduleMaps() -> [URL] {
        let checkouts = subfolders(Repository.root.appending(path: ".build/checkouts"))
            .flatMap { subfolders($0.appending(path: "Sources")) }.map { $0.appending(path: "include") }
        let folders =
            subfolders(Tool.directory) + checkouts + subfolders(Repository.root.appending(path: "Sources"))
        return folders.map { $0.appending(path: "module.modulemap") }
            .filter { FileManager.default.fileExists(atPath: $0.path) }
    }

    private static func subfolders(_ folder: URL) -> [URL] {
        (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
    }
}
