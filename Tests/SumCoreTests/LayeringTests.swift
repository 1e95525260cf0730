import Foundation
import Testing

/// No compiler guards a folder: who may import what is kept by this test alone.
@Suite struct LayeringTests {
    private static let allowed: [String: Set<String>] = [
        "HTTP2": ["CNghttp2", "NIOCore"],
        "GRPC": ["CZlib", "NIOCore", "Synchronization", "FoundationEssentials"],
        "Services": ["NIOCore", "SwiftProtobuf", "Synchronization", "FoundationEssentials"],
        "Transport": [
            "SwiftProtobuf", "NIOCore", "NIOPosix", "Logging", "Synchronization", "SystemPackage",
            "FoundationEssentials", "Glibc",
        ],
        "SumCore": ["Glibc"],
    ]

    @Test("Folders import only what their layer may") func imports() throws {
        let core = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "../../Sources/SumCore"
        )
        .standardizedFileURL
        let files = try #require(FileManager.default.enumerator(at: core, includingPropertiesForKeys: nil))
            .compactMap { $0 as? URL }
            // Generated code imports what it needs.
            .filter { $0.pathExtension == "swift" && !$0.lastPathComponent.hasSuffix(".pb.swift") }
        #expect(files.count > 20)
        for file in files {
            let layer = file.deletingLastPathComponent().lastPathComponent
            let text = try String(contentsOf: file, encoding: .utf8)
            let imports = text.split(separator: "\n").compactMap { line -> String? in
                let words = line.split(separator: " ")
                guard let keyword = words.firstIndex(of: "import"), keyword <= 1 else { return nil }
                return String(words[keyword + 1])
            }
            let allowed = try #require(Self.allowed[layer], "\(layer) is a layer of its own?")
            #expect(allowed.isSuperset(of: imports), "\(file.lastPathComponent) imports \(imports)")
        }
    }
}
