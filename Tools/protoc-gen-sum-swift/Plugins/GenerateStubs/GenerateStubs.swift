import Foundation
import PackagePlugin

/// Runs protoc with the plugins for messages and for stubs.
@main
struct GenerateStubs: CommandPlugin {
    private static let usage = """
        usage: swift package --allow-writing-to-package-directory generate-stubs [OPTION ...] FILE.proto ...

          --output FOLDER        where to write (default: Sources/Generated); it is made if it does not exist
          --proto-path FOLDER    where protos are looked up, repeatable (default: the folder of the package)
          --visibility LEVEL     public, package or internal (default)
          --opt OPTION=VALUE     an option for both plugins, repeatable
          --message-opt OPTION=VALUE, --stub-opt OPTION=VALUE
                                 an option for one of them, repeatable
          --no-messages          generate services and clients only
          --protoc PATH          protoc (default: PROTOC_PATH, or the one in PATH)
        """

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    func performCommand(context: PluginContext, arguments: [String]) async throws {
        var arguments = ArgumentExtractor(arguments)
        if arguments.extractFlag(named: "help") > 0 { return print(Self.usage) }
        let output = arguments.extractOption(named: "output").last ?? "Sources/Generated"
        let paths = arguments.extractOption(named: "proto-path")
        let visibility = arguments.extractOption(named: "visibility").map { "Visibility=\($0)" }
        let common = arguments.extractOption(named: "opt")
        let ofMessages = arguments.extractOption(named: "message-opt")
        let ofStubs = arguments.extractOption(named: "stub-opt")
        let generatesMessages = arguments.extractFlag(named: "no-messages") == 0
        let protoc = arguments.extractOption(named: "protoc").last
        let files = arguments.remainingArguments
        guard !files.isEmpty, !files.contains(where: { $0.hasPrefix("-") }) else {
            throw Failure(description: "generate-stubs: name protos, and only known options\n\(Self.usage)")
        }

        let folder = URL(filePath: output, relativeTo: context.package.directoryURL)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        var words = (paths.isEmpty ? ["."] : paths).flatMap { ["-I", $0] }
        func add(_ name: String, _ tool: String, _ options: [String]) throws {
            words.append("--plugin=protoc-gen-\(name)=\(try context.tool(named: tool).url.path)")
            words.append("--\(name)_out=\(folder.path)")
            words += (visibility + common + options).map { "--\(name)_opt=\($0)" }
        }
        if generatesMessages { try add("swift", "protoc-gen-swift", ofMessages) }
        try add("sum-swift", "protoc-gen-sum-swift", ofStubs)
        try run(try find(protoc), words + files, in: context.package.directoryURL)
        print("generated the code of \(files.joined(separator: ", ")) in \(output)")
    }

    /// - Parameter given: the path that the user has given.
    private func find(_ given: String?) throws -> String {
        let environment = ProcessInfo.processInfo.environment
        if let path = given ?? environment["PROTOC_PATH"] { return path }
        let folders = (environment["PATH"] ?? "").split(separator: ":")
        guard
            let path = folders.map({ "\($0)/protoc" })
                .first(where: FileManager.default.isExecutableFile(atPath:))
        else {
            throw Failure(
                description: "generate-stubs: no protoc in PATH; install protobuf-compiler, or use --protoc")
        }
        return path
    }

    /// protoc says itself what is wrong.
    private func run(_ program: String, _ arguments: [String], in folder: URL) throws {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.currentDirectoryURL = folder
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(description: "generate-stubs: protoc failed")
        }
    }
}
