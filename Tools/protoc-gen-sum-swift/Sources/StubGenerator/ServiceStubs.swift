internal import SwiftProtobuf
internal import SwiftProtobufPluginLibrary

/// What is generated for a service: a namespace with the paths of its methods, a protocol to implement, and a client.
struct ServiceStubs {
    private let service: ServiceDescriptor
    private let options: StubOptions
    private let type: String
    private let methods: [MethodStub]

    /// Names within the namespace.
    private static let members: Set<String> = ["Client", "Path", "Service"]

    /// - Throws: `StubError` if a message has the name of what is generated.
    init(_ service: ServiceDescriptor, _ namer: SwiftProtobufNamer, _ options: StubOptions) throws {
        self.service = service
        self.options = options
        type = SwiftNames.type(for: service.name, prefix: namer.typePrefix(forFile: service.file))
        let names = SwiftNames.members(for: service.methods.map(\.name))
        methods = zip(service.methods, names).map { method, name in
            MethodStub(
                method, name: name, request: namer.fullName(message: method.inputType),
                response: namer.fullName(message: method.outputType),
                isBatchwise: options.batchwise.contains(String(method.path.dropFirst())))
        }
        for message in methods.flatMap({ [$0.request, $0.response] }) {
            guard let outermost = message.split(separator: ".").first.map(String.init) else { continue }
            guard outermost != "SumCore", !Self.members.contains(outermost) else {
                throw StubError(
                    description: "\(service.file.name): the message '\(outermost)' has the name of a part of "
                        + "what is generated for services; give the file a package or a swift_prefix")
            }
        }
    }

    private var visibility: String { options.visibility.prefix }

    func add(to source: inout SourceText) {
        source.add("/// The service `\(service.fullName)`.")
        source.addDocumentation(of: service, isDeprecated: service.options.deprecated, after: true)
        source.addBlock("\(visibility)nonisolated enum \(type)") { source in
            addNames(to: &source)
            if options.generatesServer { addProtocol(to: &source) }
            if options.generatesClient { addClient(to: &source) }
        }
        if options.generatesServer {
            source.addBlank()
            addMethods(to: &source)
        }
    }

    private func addNames(to source: inout SourceText) {
        source.add("/// The full name of the service, as health and reflection use it.")
        source.add("\(visibility)static let name = \"\(service.fullName)\"")
        source.addBlank()
        source.add("/// The paths of the methods.")
        source.addBlock("\(visibility)nonisolated enum Path") { source in
            for method in methods {
                source.add("\(visibility)static let \(method.name) = \"\(method.path)\"")
            }
        }
        source.addBlank()
    }

    private func addProtocol(to source: inout SourceText) {
        source.add(
            """
            /// What serves the methods. A call ends with OK when its method returns, with a `GRPCStatus` that it throws, and with
            /// UNKNOWN for any other error.
            """)
        source.addBlock("\(visibility)nonisolated protocol Service: Sendable") { source in
            for method in methods {
                method.addRequirement(to: &source)
                source.addBlank()
            }
        }
        source.addBlank()
    }

    private func addMethods(to source: inout SourceText) {
        source.addBlock("nonisolated extension \(type).Service") { source in
            source.add("/// The methods, for a server to host.")
            source.addBlock("\(visibility)var methods: [SumCore.GRPCMethod]") { source in
                guard !methods.isEmpty else { return source.add("[]") }
                source.add("[")
                for method in methods { method.addHosting(of: type, to: &source) }
                source.add("]")
            }
        }
    }

    private func addClient(to source: inout SourceText) {
        source.add("/// Calls the methods.")
        source.addBlock("\(visibility)nonisolated struct Client: Sendable") { source in
            source.add("\(visibility)let client: SumCore.GRPCClient")
            source.addBlank()
            source.add("/// - Parameter client: has the connections, which are shared. Close it in the end.")
            source.addBlock("\(visibility)init(_ client: SumCore.GRPCClient)") { source in
                source.add("self.client = client")
            }
            for method in methods {
                source.addBlank()
                method.addCalls(visibility, of: type, to: &source)
            }
        }
        source.addBlank()
    }
}

extension SourceText {
    /// Adds the comment before a declaration in the proto.
    ///
    /// - Parameter after: whether other lines of documentation come before.
    mutating func addDocumentation(
        of declaration: some ProvidesSourceCodeLocation, isDeprecated: Bool, after: Bool = false
    ) {
        var comment = declaration.protoSourceComments(commentPrefix: "")
            .split(separator: "\n", omittingEmptySubsequences: false).map(Self.documentation)
        while comment.last == "///" { comment.removeLast() }
        if isDeprecated { comment += (comment.isEmpty ? [] : ["///"]) + ["/// Deprecated in the proto."] }
        guard !comment.isEmpty else { return }
        if after { add("///") }
        for line in comment { add(line) }
    }

    /// A line of a comment. In those between /* and */, protoc strips the space before the first word.
    private static func documentation(_ line: Substring) -> String {
        let text = line.reversed().drop { $0.isWhitespace }.reversed()
        guard let first = text.first else { return "///" }
        return (first.isWhitespace ? "///" : "/// ") + text
    }
}
