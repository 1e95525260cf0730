internal import SwiftProtobuf
internal import SwiftProtobufPluginLibrary

/// What is generated for a method.
struct MethodStub {
    let name: String
    let request: String
    let response: String
    let path: String
    private let method: MethodDescriptor
    private let kind: Kind

    private enum Kind {
        case unary, clientStreaming, serverStreaming, bidirectionalStreaming
        /// Client-streaming, and served in batches.
        case batchwise
    }

    init(_ method: MethodDescriptor, name: String, request: String, response: String, isBatchwise: Bool) {
        self.method = method
        self.name = name
        self.request = request
        self.response = response
        path = method.path
        kind =
            switch (method.clientStreaming, method.serverStreaming) {
            case (false, false): .unary
            case (true, false): isBatchwise ? .batchwise : .clientStreaming
            case (false, true): .serverStreaming
            case (true, true): .bidirectionalStreaming
            }
    }

    // MARK: Serving

    func addRequirement(to source: inout SourceText) {
        if kind == .batchwise {
            source.add("/// Serves `\(method.name)` in batches, on the event loop: see `GRPCBatchCall`.")
        }
        source.addDocumentation(
            of: method, isDeprecated: method.options.deprecated, after: kind == .batchwise)
        let signature =
            switch kind {
            case .unary:
                "(\n    request: \(request), call: SumCore.AsyncServerCall\n) async throws -> \(response)"
            case .clientStreaming:
                "(\n    requests: SumCore.GRPCRequests<\(request)>, call: SumCore.AsyncServerCall\n"
                    + ") async throws -> \(response)"
            case .serverStreaming:
                "(\n    request: \(request), responses: SumCore.GRPCResponses<\(response)>,\n"
                    + "    call: SumCore.AsyncServerCall\n) async throws"
            case .bidirectionalStreaming:
                "(\n    requests: SumCore.GRPCRequests<\(request)>, responses: SumCore.GRPCResponses<\(response)>,\n"
                    + "    call: SumCore.AsyncServerCall\n) async throws"
            case .batchwise:
                "(\n    context: SumCore.ServerCallContext\n"
                    + ") throws(SumCore.GRPCStatus) -> SumCore.GRPCBatchCall<\(request), \(response)>"
            }
        source.add("func \(name)\(signature)")
    }

    /// Adds the element of `methods`.
    func addHosting(of type: String, to source: inout SourceText) {
        let path = "path: \(type).Path.\(name)"
        let element =
            switch kind {
            case .unary: ".unary(\(path)) { try await self.\(name)(request: $0, call: $1) }"
            case .clientStreaming:
                ".clientStreaming(\(path)) { try await self.\(name)(requests: $0, call: $1) }"
            case .serverStreaming:
                ".serverStreaming(\(path)) { try await self.\(name)(request: $0, responses: $1, call: $2) }"
            case .bidirectionalStreaming:
                ".bidirectionalStreaming(\(path)) { try await self.\(name)(requests: $0, responses: $1, call: $2) }"
            case .batchwise:
                ".batchwise(\(path)) { context throws(SumCore.GRPCStatus) in try self.\(name)(context: context) }"
            }
        source.add("    \(element),")
    }

    // MARK: Calling

    func addCalls(_ visibility: String, of type: String, to source: inout SourceText) {
        let path = "\(type).Path.\(name)"
        let call = "SumCore.GRPCClientCall<\(request), \(response)>"
        switch kind {
        case .unary:
            addDocumentation(to: &source)
            source.addBlock(
                "\(visibility)func \(name)(\n    _ request: \(request), options: SumCore.GRPCCallOptions = .init()\n"
                    + ") async throws(SumCore.GRPCStatus) -> \(response)"
            ) { $0.add("try await client.unary(\(path), request, options: options)") }
        case .serverStreaming:
            addDocumentation(to: &source)
            source.addBlock(
                "\(visibility)func \(name)(\n    _ request: \(request), options: SumCore.GRPCCallOptions = .init()\n"
                    + ") async throws(SumCore.GRPCStatus) -> \(call)"
            ) { $0.add("try await client.serverStreaming(\(path), request, options: options)") }
        case .clientStreaming, .bidirectionalStreaming, .batchwise: break
        }
        if method.clientStreaming {
            addDocumentation(to: &source)
        } else {
            source.addBlank()
            source.add(
                "/// Begins a call of `\(method.name)` whose one message is sent by `send` and `finish`, for its metadata or to\n"
                    + "/// cancel it.")
        }
        source.addBlock("\(visibility)func \(name)(options: SumCore.GRPCCallOptions = .init()) -> \(call)") {
            $0.add("client.call(\(path), options: options)")
        }
    }

    private func addDocumentation(to source: inout SourceText) {
        source.addDocumentation(of: method, isDeprecated: method.options.deprecated)
    }
}
