import Foundation

/// Programs of `Examples`, compiled against the modules of the tests and linked with their objects, so that nothing is
/// built twice. `make examples` builds each as the package that it is.
struct ExampleProgram {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    static let folder = Repository.root.appending(path: "Examples")
    /// The path of the program.
    let path: String

    /// Compiles a program whose sources are all in one module.
    init(_ name: String, in output: URL) async throws {
        let sources = Self.sources(in: Self.folder.appending(path: "\(name)/Sources"))
        path = try await Self.link(sources, named: name, in: output)
    }

    /// Compiles one of the tutorial's two programs, and before it the module that both import.
    init(tutorial role: String, in output: URL) async throws {
        let root = Self.folder.appending(path: "tutorial/Sources")
        let library = output.appending(path: "Numbers.o").path
        try await Self.compile(
            Self.sources(in: root.appending(path: "Numbers")),
            [
                "-parse-as-library", "-module-name", "Numbers", "-wmo", "-c", "-o", library, "-emit-module",
                "-emit-module-path", output.appending(path: "Numbers.swiftmodule").path,
            ])
        path = try await Self.link(
            Self.sources(in: root.appending(path: role)), [library, "-I", output.path],
            named: "tutorial-\(role)", in: output)
    }

    private static func sources(in folder: URL) -> [URL] {
        let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
        return (files?.compactMap { $0 as? URL } ?? []).filter { $0.pathExtension == "swift" }
    }

    private static func link(
        _ sources: [URL], _ options: [String] = [], named name: String, in output: URL
    ) async throws -> String {
        let path = output.appending(path: name).path
        // What sum-server is linked with, but for its own objects.
        let list = Tool.directory.appending(path: "sum-server.product/Objects.LinkFileList")
        let objects = try String(contentsOf: list, encoding: .utf8).split(separator: "\n")
            .filter { !$0.contains("/sum_server.build/") }
        let response = output.appending(path: "\(name).objects").path
        try objects.joined(separator: "\n").write(toFile: response, atomically: true, encoding: .utf8)
        let isLibrary = sources.allSatisfy { $0.lastPathComponent != "main.swift" }
        try await compile(
            try sources.map { try patient($0, in: output.appending(path: "\(name)-sources")) },
            ["-module-name", name.replacing("-", with: "_"), "-wmo", "-o", path, "@\(response)"]
                + (isLibrary ? ["-parse-as-library"] : []) + options
                + ["nghttp2", "z", "stdc++"].map { "-l\($0)" })
        return path
    }

    /// A copy of a source with time limits that a busy machine cannot exceed.
    private static func patient(_ source: URL, in folder: URL) throws -> URL {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let copy = folder.appending(path: source.lastPathComponent)
        try String(contentsOf: source, encoding: .utf8)
            .replacing(/timeout: \.seconds\(\d+\)/, with: "timeout: .seconds(300)")
            .replacing(/connect\(to: (Target\(.*\))\)\n/) { "connect(to: \($0.1), timeout: .seconds(300))\n" }
            .write(to: copy, atomically: true, encoding: .utf8)
        return copy
    }

    private static func compile(_ sources: [URL], _ options: [String]) async throws {
        let modules = Tool.directory.appending(path: "Modules").path
        let maps = ModuleMaps.all.flatMap { ["-Xcc", "-fmodule-map-file=\($0.path)"] }
        let result = try await Tool.run(
            "/usr/bin/env",
            [
                "swiftc", "-swift-version", "6", "-warnings-as-errors", "-package-name", "examples",
                "-enable-upcoming-feature", "MemberImportVisibility", "-I", modules,
            ] + maps + options + sources.map(\.path))
        guard result.status == 0 else { throw Failure(description: result.errors) }
    }
}
