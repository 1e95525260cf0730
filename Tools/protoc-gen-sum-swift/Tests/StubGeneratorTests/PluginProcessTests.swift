import Foundation
import Testing

/// The plugin as protoc runs it, and as a person might.
@Suite struct PluginProcessTests {
    /// The built plugin is beside the tests.
    private static let plugin = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appending(path: "protoc-gen-sum-swift").path

    private func protoc(_ options: [String], to folder: URL) throws -> Protoc.Outcome {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return try Protoc.run(
            ["-I", Protoc.odd.path, "--plugin=\(Self.plugin)", "--sum-swift_out=\(folder.path)"]
                + options.map { "--sum-swift_opt=\($0)" } + ["four_kinds.proto"])
    }

    @Test("protoc writes the file")
    func generates() throws {
        try Protoc.temporary { folder in
            let outcome = try protoc(["Visibility=Public", "Client=false"], to: folder)
            #expect(outcome.status == 0 && outcome.errors.isEmpty)
            let text = try String(
                contentsOf: folder.appending(path: "four_kinds.grpc.swift"), encoding: .utf8)
            #expect(text.contains("public nonisolated protocol Service: Sendable {"))
        }
    }

    @Test("protoc fails with one line, and writes nothing")
    func fails() throws {
        try Protoc.temporary { folder in
            let outcome = try protoc(["Visibility=Open"], to: folder)
            #expect(outcome.status == 1)
            #expect(
                outcome.errors
                    == "--sum-swift_out: Visibility must be Public, Package or Internal, not 'Open'\n")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
        }
    }

    @Test("By itself, it says how it is run")
    func alone() throws {
        let help = try Protoc.run(Self.plugin, ["--help"])
        #expect(help.status == 0 && help.output.contains("--sum-swift_out=FOLDER"))
        let wrong = try Protoc.run(Self.plugin, ["a.proto"])
        #expect(wrong.status == 64 && wrong.errors.contains("is a plugin of protoc"))
        let garbage = try Protoc.run(Self.plugin, [], input: Data("nonsense".utf8))
        #expect(garbage.status == 1 && garbage.output.isEmpty && !garbage.errors.isEmpty)
    }
}
