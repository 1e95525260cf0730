internal import SwiftProtobuf

/// An index of proto files by the names and extensions that they define, for Reflection.
struct DescriptorIndex {
    typealias File = Google_Protobuf_FileDescriptorProto

    private var files: [String: File] = [:]
    /// The file of each full name: messages, fields, oneofs, enums and their values, services, methods, extensions.
    private var fileNames: [String: String] = [:]
    /// The file of each extension, by the full name of the extended message and the number.
    private var extensions: [String: [Int32: String]] = [:]

    /// - Parameter files: if several have the same name, or define the same name, the first counts.
    init(_ files: [File]) {
        for file in files where self.files[file.name] == nil {
            self.files[file.name] = file
            for message in file.messageType { add(message, in: file.package, of: file.name) }
            for type in file.enumType { add(type, in: file.package, of: file.name) }
            add(file.extension, in: file.package, of: file.name)
            define(file.service.map(\.name), in: file.package, of: file.name)
            for service in file.service {
                define(service.method.map(\.name), in: Self.join(file.package, service.name), of: file.name)
            }
        }
    }

    private mutating func add(_ message: Google_Protobuf_DescriptorProto, in scope: String, of file: String) {
        define([message.name], in: scope, of: file)
        let inner = Self.join(scope, message.name)
        define(message.field.map(\.name) + message.oneofDecl.map(\.name), in: inner, of: file)
        for nested in message.nestedType { add(nested, in: inner, of: file) }
        for type in message.enumType { add(type, in: inner, of: file) }
        add(message.extension, in: inner, of: file)
    }

    /// The values of an enum are in the scope of the enum, not in the enum (protobuf's language guide, "Enumerations").
    private mutating func add(
        _ type: Google_Protobuf_EnumDescriptorProto, in scope: String, of file: String
    ) {
        define([type.name] + type.value.map(\.name), in: scope, of: file)
    }

    private mutating func add(
        _ fields: [Google_Protobuf_FieldDescriptorProto], in scope: String, of file: String
    ) {
        define(fields.map(\.name), in: scope, of: file)
        for field in fields {
            // A full name begins with a dot here (descriptor.proto, `extendee`).
            let extendee = String(field.extendee.drop { $0 == "." })
            if extensions[extendee]?[field.number] == nil {
                extensions[extendee, default: [:]][field.number] = file
            }
        }
    }

    private mutating func define(_ names: [String], in scope: String, of file: String) {
        for name in names.map({ Self.join(scope, $0) }) where fileNames[name] == nil {
            fileNames[name] = file
        }
    }

    static func join(_ scope: String, _ name: String) -> String {
        scope.isEmpty ? name : "\(scope).\(name)"
    }

    /// The file, followed by all files that it imports, directly or indirectly, each once. Unknown imports are left
    /// out.
    ///
    /// - Returns: an empty array if the file itself is unknown.
    func files(named name: String) -> [File] {
        var found: [File] = []
        var names = [name]
        var seen: Set<String> = []
        while let name = names.popLast() {
            guard seen.insert(name).inserted, let file = files[name] else { continue }
            found.append(file)
            names += file.dependency
        }
        return found
    }

    /// The file that defines a full name such as `package.Service.Method`, with its imports; empty if there is none.
    func files(defining name: String) -> [File] {
        fileNames[name].map(files(named:)) ?? []
    }

    /// The file that defines an extension, with its imports; empty if there is none.
    func files(extending message: String, number: Int32) -> [File] {
        extensions[message]?[number].map(files(named:)) ?? []
    }

    /// The numbers of a message's extensions, ascending; nil if the name is unknown.
    func extensionNumbers(of message: String) -> [Int32]? {
        if let numbers = extensions[message]?.keys { return numbers.sorted() }
        return fileNames[message].map { _ in [] }
    }
}
