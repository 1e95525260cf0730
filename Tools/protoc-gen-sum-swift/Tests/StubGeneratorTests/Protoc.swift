import Foundation
import SwiftProtobuf
import SwiftProtobufPluginLibrary

@testable import StubGenerator

/// Runs the generator on protos, by way of protoc's parser, or of protoc as users run it.
enum Protoc {
    static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../../..").standardized
    /// The protos whose code is checked in.
    static let odd = root.appending(path: "Tests/Stubs/Protos")

    struct Outcome {
        var output: String
        var errors: String
        var status: Int32
    }

    /// Generates in this process.
    ///
    /// - Parameter parameter: the options, joined by commas.
    static func generate(
        _ files: [String], in folder: URL = odd, _ parameter: String = ""
    ) throws -> Google_Protobuf_Compiler_CodeGeneratorResponse {
        let set = try temporary { path in
            let outcome = try run(
                ["-I", folder.path, "--include_imports", "--include_source_info", "-o", path.path] + files)
            guard outcome.status == 0 else { throw StubError(description: outcome.errors) }
            return try Google_Protobuf_FileDescriptorSet(serializedBytes: Data(contentsOf: path))
        }
        return generate(set, files, parameter)
    }

    static func generate(
        _ set: Google_Protobuf_FileDescriptorSet, _ files: [String], _ parameter: String = ""
    ) -> Google_Protobuf_Compiler_CodeGeneratorResponse {
        let request = Google_Protobuf_Compiler_CodeGeneratorRequest.with {
            $0.protoFile = set.file
            $0.fileToGenerate = files
            $0.parameter = parameter
        }
        return generateCode(request: request, generator: StubGenerator())
    }

    /// Generates from the text of one proto.
    static func generate(
        text: String, _ parameter: String = ""
    ) throws -> Google_Protobuf_Compiler_CodeGeneratorResponse {
        try temporary { folder in
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try text.write(to: folder.appending(path: "a.proto"), atomically: true, encoding: .utf8)
            return try generate(["a.proto"], in: folder, parameter)
        }
    }

    /// Calls `body` with a path that is unused, and removes what it makes there.
    static func temporary<Result>(_ body: (URL) throws -> Result) throws -> Result {
        let path = FileManager.default.temporaryDirectory.appending(path: "stubs-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: path) }
        return try body(path)
    }

    /// Runs protoc to its end.
    static func run(_ arguments: [String]) throws -> Outcome { try run("protoc", arguments) }

    static func run(_ program: String, _ arguments: [String], input: Data = Data()) throws -> Outcome {
        try temporary { folder in
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            // Files do not fill up as pipes do.
            let (inputs, outputs, errors) = (
                folder.appending(path: "in"), folder.appending(path: "out"), folder.appending(path: "err")
            )
            try input.write(to: inputs)
            for file in [outputs, errors] { try Data().write(to: file) }
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = ["timeout", "300", program] + arguments
            process.standardInput = try FileHandle(forReadingFrom: inputs)
            process.standardOutput = try FileHandle(forWritingTo: outputs)
            process.standardError = try FileHandle(forWritingTo: errors)
            try process.run()
            process.waitUntilExit()
            return Outcome(
                output: String(decoding: try Data(contentsOf: outputs), as: UTF8.self),
                errors: String(decoding: try Data(contentsOf: errors), as: UTF8.self),
                status: process.terminationStatus)
        }
    }
}
