import Foundation
import SwiftProtobuf
import SwiftProtobufPluginLibrary
import Testing

@testable import StubGenerator

/// What is generated. That it compiles without a warning is seen where it is checked in: Tests/Stubs is a part of the
/// tests of SumCore.
@Suite struct GeneratedCodeTests {
    /// The code of one proto that has a service `S`.
    private func code(_ text: String, _ parameter: String = "") throws -> String {
        let response = try Protoc.generate(text: text, parameter)
        try #require(!response.hasError, "\(response.error)")
        return try #require(response.file.first).content
    }

    private static let simple = """
        syntax = "proto3";
        package a.b;
        message M {}
        service S { rpc Call(M) returns (M); }
        """

    @Test("The checked-in code is what is generated")
    func checkedIn() throws {
        let module = Protoc.root.appending(path: "Tests/Stubs/modules.asciipb").path
        let response = try Protoc.generate(
            ["four_kinds.proto", "odd_names.proto", "old_syntax.proto", "nested/deep/prefixed.proto"],
            "UseAccessLevelOnImports=true,FileNaming=PathToUnderscores,Visibility=Package,"
                + "ProtoPathModuleMappings=\(module),Batchwise=stubs.v1.FourKinds/BatchTotal,"
                + "Batchwise=/Double/Context")
        try #require(!response.hasError, "\(response.error)")
        #expect(
            response.file.map(\.name) == [
                "four_kinds.grpc.swift", "odd_names.grpc.swift", "old_syntax.grpc.swift",
                "nested_deep_prefixed.grpc.swift",
            ])
        for file in response.file {
            let path = Protoc.root.appending(path: "Tests/Stubs/Odd/\(file.name)")
            #expect(try String(contentsOf: path, encoding: .utf8) == file.content, "\(file.name)")
        }
    }

    @Test("A file without services has no code")
    func nothing() throws {
        let response = try Protoc.generate(["shared.proto"])
        #expect(response.file.isEmpty && !response.hasError)
    }

    @Test(
        "Files are named as swift-protobuf names them",
        arguments: [
            ("FullPath", "nested/deep/prefixed.grpc.swift"), ("full_path", "nested/deep/prefixed.grpc.swift"),
            ("PathToUnderscores", "nested_deep_prefixed.grpc.swift"), ("DropPath", "prefixed.grpc.swift"),
        ])
    func fileNaming(option: String, name: String) throws {
        let response = try Protoc.generate(["nested/deep/prefixed.proto"], "FileNaming=\(option)")
        #expect(response.file.map(\.name) == [name])
    }

    @Test("Declarations and imports have the level that is asked for")
    func visibility() throws {
        let plain = try code(Self.simple)
        #expect(plain.contains("\nimport SumCore\n"))
        #expect(plain.contains("\nnonisolated enum A_B_S {"))
        #expect(!plain.contains("public ") && !plain.contains("package "))
        for level in ["public", "package"] {
            let code = try code(Self.simple, "Visibility=\(level),UseAccessLevelOnImports=true")
            #expect(code.contains("\n\(level) import SumCore\n"))
            #expect(code.contains("\n\(level) nonisolated enum A_B_S {"))
            #expect(code.contains("    \(level) var methods: "))
            #expect(code.contains("        \(level) init(_ client: "))
        }
        let hidden = try code(Self.simple, "UseAccessLevelOnImports=true")
        #expect(hidden.contains("\ninternal import SumCore\n"))
    }

    @Test("A side may be left out, and with both only the names are left")
    func sides() throws {
        let server = try code(Self.simple, "Client=false")
        #expect(server.contains("protocol Service") && !server.contains("struct Client"))
        let client = try code(Self.simple, "Server=false")
        #expect(!client.contains("protocol Service") && client.contains("struct Client"))
        let names = try code(Self.simple, "Server=false,Client=false")
        #expect(!names.contains("import") && names.contains("static let call = \"/a.b.S/Call\""))
    }

    @Test("Comments are carried over, and cannot become code")
    func comments() throws {
        let code = try code(
            "syntax = \"proto3\";\npackage a;\nmessage M {}\n"
                + "/* About S.\r\rlet evil = 1\n   * Listed */ service S {\n"
                + "  // About Call.\n  //\n  //   - indented\n  rpc Call(M) returns (M);\n}\n")
        #expect(
            code.contains("/// The service `a.S`.\n///\n/// About S.\n///\n/// let evil = 1\n/// Listed\n"))
        #expect(
            code.contains(
                "        /// About Call.\n        ///\n        ///   - indented\n        func call("))
        #expect(!code.contains("\nlet evil"))
    }

    @Test("A message of another module is imported and qualified, and well-known types are SwiftProtobuf's")
    func modules() throws {
        let module = Protoc.root.appending(path: "Tests/Stubs/modules.asciipb").path
        let response = try Protoc.generate(["old_syntax.proto"], "ProtoPathModuleMappings=\(module)")
        let code = try #require(response.file.first).content
        #expect(code.contains("\nimport SharedStubMessages\nimport SumCore\n\n"))
        #expect(code.contains("-> SharedStubMessages.Stubs_Shared_V1_Ticket"))
        let odd = try #require(try Protoc.generate(["odd_names.proto"]).file.first).content
        #expect(odd.contains("\nimport SumCore\nimport SwiftProtobuf\n\n"))
        #expect(odd.contains("-> SwiftProtobuf.Google_Protobuf_Empty"))
    }

    @Test("A file of edition 2023 is as good as any")
    func editions() throws {
        // Debian's protoc does not know editions.
        let file = try Google_Protobuf_FileDescriptorProto(
            textFormatString: """
                name: "new.proto" package: "new" syntax: "editions" edition: EDITION_2023
                message_type { name: "M" }
                service {
                  name: "S"
                  method { name: "Call" input_type: ".new.M" output_type: ".new.M" client_streaming: true }
                }
                """)
        let response = Protoc.generate(.with { $0.file = [file] }, ["new.proto"])
        try #require(!response.hasError, "\(response.error)")
        #expect(response.file.first?.content.contains("requests: SumCore.GRPCRequests<New_M>") == true)
        #expect(response.supportedFeatures & 2 == 2)
        let edition = Int32(Google_Protobuf_Edition.edition2023.rawValue)
        #expect((response.minimumEdition...response.maximumEdition).contains(edition))
    }
}
