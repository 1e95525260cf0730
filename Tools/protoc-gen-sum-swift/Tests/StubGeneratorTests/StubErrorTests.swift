import Foundation
import SwiftProtobufPluginLibrary
import Testing

@testable import StubGenerator

/// What cannot be generated, and is said in one line.
@Suite struct StubErrorTests {
    @Test(
        "A wrong option is named, with what would be right",
        arguments: [
            ("Visibility=Open", "Visibility must be Public, Package or Internal, not 'Open'"),
            ("FileNaming=", "FileNaming must be FullPath, PathToUnderscores or DropPath, not ''"),
            ("Server=yes", "Server must be true or false, not 'yes'"),
            ("Client", "Client must be true or false, not ''"),
            ("UseAccessLevelOnImports=1", "UseAccessLevelOnImports must be true or false, not '1'"),
            (
                "SwiftProtobufModuleName=a-b",
                "SwiftProtobufModuleName must be the name of a module, not 'a-b'"
            ),
            ("ProtoPathModuleMappings=/none", "ProtoPathModuleMappings: cannot read '/none'"),
            (
                "Batchwise=Total",
                "Batchwise must be a method, such as tutorial.NumberService/SumNumbers, not 'Total'"
            ),
            (
                "Batchwise=a.B/C",
                "Batchwise: none of the files that are generated has a method 'a.B/C'"
            ),
            (
                "Batchwise=stubs.v1.FourKinds/Running",
                "Batchwise: 'stubs.v1.FourKinds/Running' is not a client-streaming method; only those can be"
            ),
        ])
    func options(parameter: String, message: String) throws {
        let response = try Protoc.generate(["four_kinds.proto"], parameter)
        #expect(response.error == message)
        #expect(response.file.isEmpty)
    }

    @Test("An unknown option is an error that lists the others")
    func unknown() throws {
        let response = try Protoc.generate(["four_kinds.proto"], "ImplementationOnlyImports=true")
        #expect(
            response.error.hasPrefix("unknown option 'ImplementationOnlyImports'; there are Visibility, "))
    }

    @Test("A file of mappings that is none is an error")
    func mappings() throws {
        try Protoc.temporary { path in
            try "nonsense".write(to: path, atomically: true, encoding: .utf8)
            let response = try Protoc.generate(["four_kinds.proto"], "ProtoPathModuleMappings=\(path.path)")
            #expect(response.error.hasPrefix("ProtoPathModuleMappings: '\(path.path)' is not valid: "))
            #expect(!response.error.contains("\n"))
        }
    }

    @Test("A message that would be hidden is refused", arguments: ["Client", "Service", "Path", "SumCore"])
    func hidden(name: String) throws {
        let response = try Protoc.generate(
            text: """
                syntax = "proto3";
                message \(name) { message Inner {} }
                service S { rpc Call(\(name).Inner) returns (\(name)); }
                """)
        #expect(
            response.error
                == "a.proto: the message '\(name)' has the name of a part of what is generated for services; "
                + "give the file a package or a swift_prefix")
    }

    @Test("A prefix that is not an identifier is refused")
    func prefix() throws {
        let response = try Protoc.generate(
            text: """
                syntax = "proto3";
                option swift_prefix = "a-b";
                message M {}
                service S { rpc Call(M) returns (M); }
                """)
        #expect(response.error == "a.proto: the swift_prefix 'a-b' is not an identifier in Swift")
    }

    @Test("Two files with one name are refused")
    func twice() throws {
        try Protoc.temporary { folder in
            for name in ["x", "y"] {
                let path = folder.appending(path: name)
                try FileManager.default.createDirectory(at: path, withIntermediateDirectories: true)
                try "syntax = \"proto3\"; package \(name); message M {} service S { rpc C(M) returns (M); }"
                    .write(to: path.appending(path: "a.proto"), atomically: true, encoding: .utf8)
            }
            let response = try Protoc.generate(
                ["x/a.proto", "y/a.proto"], in: folder, "FileNaming=DropPath")
            #expect(response.error.contains("a.grpc.swift"))
        }
    }
}
