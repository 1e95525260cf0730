internal import Foundation
internal import SwiftProtobufPluginLibrary

/// The options of the plugin (`--sum-swift_opt`).
struct StubOptions {
    enum Visibility: String {
        case `public`, package, `internal`

        /// What stands before a declaration.
        var prefix: String { self == .internal ? "" : "\(rawValue) " }
    }

    enum FileNaming {
        case fullPath, pathToUnderscores, dropPath

        init?(_ text: String) {
            switch text.lowercased().replacing("_", with: "") {
            case "fullpath": self = .fullPath
            case "pathtounderscores": self = .pathToUnderscores
            case "droppath": self = .dropPath
            default: return nil
            }
        }
    }

    var visibility = Visibility.internal
    var fileNaming = FileNaming.fullPath
    var generatesServer = true
    var generatesClient = true
    var usesAccessLevelOnImports = false
    /// False in SumCore itself.
    var importsSumCore = true
    var modules = ProtoFileToModuleMappings()
    /// Full names of the methods that are served in batches, such as `tutorial.NumberService/SumNumbers`.
    var batchwise: Set<String> = []

    /// - Throws: `StubError` for an option that is unknown, or has a value it cannot have.
    init(_ pairs: [(key: String, value: String)]) throws {
        var mappings: (path: String?, swiftProtobuf: String?)
        for (key, value) in pairs {
            switch key {
            case "Visibility":
                visibility = try Self.parse(key, value, "Public, Package or Internal") {
                    Visibility(rawValue: $0.lowercased())
                }
            case "FileNaming":
                fileNaming = try Self.parse(
                    key, value, "FullPath, PathToUnderscores or DropPath", FileNaming.init)
            case "Server": generatesServer = try Self.flag(key, value)
            case "Client": generatesClient = try Self.flag(key, value)
            case "UseAccessLevelOnImports": usesAccessLevelOnImports = try Self.flag(key, value)
            case "ImportSumCore": importsSumCore = try Self.flag(key, value)
            case "ProtoPathModuleMappings": mappings.path = value
            case "SwiftProtobufModuleName":
                mappings.swiftProtobuf = try Self.parse(key, value, "the name of a module") {
                    isValidSwiftIdentifier($0) ? $0 : nil
                }
            case "Batchwise":
                let name = value.hasPrefix("/") ? String(value.dropFirst()) : value
                batchwise.insert(
                    try Self.parse(key, name, "a method, such as tutorial.NumberService/SumNumbers") {
                        $0.split(separator: "/", omittingEmptySubsequences: false).count == 2 ? $0 : nil
                    })
            default:
                throw StubError(
                    description: "unknown option '\(key)'; there are Visibility, FileNaming, Server, Client, "
                        + "Batchwise, UseAccessLevelOnImports, ProtoPathModuleMappings, "
                        + "SwiftProtobufModuleName and ImportSumCore")
            }
        }
        modules = try Self.modules(mappings.path, swiftProtobuf: mappings.swiftProtobuf)
    }

    private static func parse<Value>(
        _ key: String, _ value: String, _ allowed: String, _ parse: (String) -> Value?
    ) throws -> Value {
        guard let parsed = parse(value) else {
            throw StubError(description: "\(key) must be \(allowed), not '\(value)'")
        }
        return parsed
    }

    private static func flag(_ key: String, _ value: String) throws -> Bool {
        try parse(key, value, "true or false") { Bool($0) }
    }

    private static func modules(
        _ path: String?, swiftProtobuf: String?
    ) throws -> ProtoFileToModuleMappings {
        guard let path, !path.isEmpty else {
            return ProtoFileToModuleMappings(swiftProtobufModuleName: swiftProtobuf)
        }
        do {
            return try ProtoFileToModuleMappings(path: path, swiftProtobufModuleName: swiftProtobuf)
        } catch ProtoFileToModuleMappings.LoadError.failToOpen {
            throw StubError(description: "ProtoPathModuleMappings: cannot read '\(path)'")
        } catch {
            throw StubError(description: "ProtoPathModuleMappings: '\(path)' is not valid: \(error)")
        }
    }

    /// - Throws: `StubError` if a method that is to be batch-wise is not there, or cannot be.
    func checkBatchwise(_ files: [FileDescriptor]) throws {
        let methods = files.flatMap(\.services).flatMap(\.methods)
        for name in batchwise.sorted() {
            guard let method = methods.first(where: { $0.path == "/\(name)" }) else {
                throw StubError(
                    description: "Batchwise: none of the files that are generated has a method '\(name)'")
            }
            guard method.clientStreaming, !method.serverStreaming else {
                throw StubError(
                    description: "Batchwise: '\(name)' is not a client-streaming method; only those can be")
            }
        }
    }
}

extension MethodDescriptor {
    /// `/package.Service/Method`.
    var path: String { "/\(service.fullName)/\(name)" }
}
