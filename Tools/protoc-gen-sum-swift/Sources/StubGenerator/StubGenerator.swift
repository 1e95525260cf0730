public import SwiftProtobuf
public import SwiftProtobufPluginLibrary

/// Generates a file for each proto that has services.
public struct StubGenerator: CodeGenerator {
    public init() {}

    public func generate(
        files: [FileDescriptor], parameter: any CodeGeneratorParameter,
        protoCompilerContext: any ProtoCompilerContext, generatorOutputs: any GeneratorOutputs
    ) throws {
        let options = try StubOptions(parameter.parsedPairs)
        try options.checkBatchwise(files)
        for file in files where !file.services.isEmpty {
            let stubs = FileStubs(file, options)
            try generatorOutputs.add(fileName: stubs.name, contents: stubs.text())
        }
    }

    public var supportedFeatures: [Google_Protobuf_Compiler_CodeGeneratorResponse.Feature] {
        [.proto3Optional, .supportsEditions]
    }

    public var supportedEditionRange: ClosedRange<Google_Protobuf_Edition> {
        DescriptorSet.bundledEditionsSupport
    }
}

/// Why nothing was generated: one line, which protoc prints.
struct StubError: Error, CustomStringConvertible {
    var description: String
}
