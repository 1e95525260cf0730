import Foundation
import StubGenerator
import SwiftProtobuf
import SwiftProtobufPluginLibrary

// protoc writes a request to standard input, and reads the response from standard output. What is wrong with the
// options is told in the response, and protoc prints it.

let arguments = CommandLine.arguments.dropFirst()
guard arguments.isEmpty else {
    let isHelp = arguments.first == "--help" || arguments.first == "-h"
    let text = """
        protoc-gen-sum-swift is a plugin of protoc, which runs it:
            protoc --plugin=PATH/protoc-gen-sum-swift --sum-swift_out=FOLDER --sum-swift_opt=OPTION=VALUE FILE.proto

        """
    (isHelp ? FileHandle.standardOutput : .standardError).write(Data(text.utf8))
    exit(isHelp ? 0 : 64)
}

do {
    let request = try Google_Protobuf_Compiler_CodeGeneratorRequest(
        serializedBytes: FileHandle.standardInput.readToEnd() ?? Data())
    let response = generateCode(request: request, generator: StubGenerator())
    try FileHandle.standardOutput.write(contentsOf: response.serializedData())
} catch {
    try? FileHandle.standardError.write(contentsOf: Data("protoc-gen-sum-swift: \(error)\n".utf8))
    exit(1)
}
