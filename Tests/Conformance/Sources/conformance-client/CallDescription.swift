import ConformanceMessages
import SumCore
import SwiftProtobuf

/// The call that a request of the runner describes.
struct CallDescription {
    private let request: ClientCompatRequest
    private let options: GRPCCallOptions

    /// - Throws: `UnusableRequest` or `InvalidField` when SumCore cannot make such a call.
    init(_ request: ClientCompatRequest) throws {
        guard request.service == ConformanceService.name else {
            throw UnusableRequest(description: "unknown service '\(request.service)'")
        }
        var options = GRPCCallOptions(metadata: try GRPCMetadata(request.requestHeaders))
        if request.hasTimeoutMs { options.timeout = .milliseconds(request.timeoutMs) }
        options.compression = try Self.compression(request.compression)
        self.request = request
        self.options = options
    }

    private static func compression(_ compression: Compression) throws -> GRPCCompression {
        switch compression {
        case .unspecified, .identity: .identity
        case .gzip: .gzip
        case .deflate: .deflate
        case .br, .zstd, .snappy, .UNRECOGNIZED:
            throw UnusableRequest(description: "compression \(compression) is not supported")
        }
    }

    func make(with client: GRPCClient) async throws -> ClientResponseResult {
        let service = ConformanceService.Client(client)
        return switch request.method {
        case "Unary": try await run(service.unary(options:))
        case "IdempotentUnary": try await run(service.idempotentUnary(options:))
        case "ClientStream": try await run(service.clientStream(options:))
        case "ServerStream": try await run(service.serverStream(options:))
        case "BidiStream": try await run(service.bidiStream(options:))
        case "Unimplemented": try await run(service.unimplemented(options:))
        default: throw UnusableRequest(description: "unknown method '\(request.method)'")
        }
    }

    private func run<Request: Message, Response: PayloadCarrier>(
        _ begin: (GRPCCallOptions) -> GRPCClientCall<Request, Response>
    ) async throws -> ClientResponseResult {
        let messages = try request.requestMessages.map { try Request(unpackingAny: $0) }
        var call = DescribedCall(request, messages, begin(options))
        return await call.run()
    }
}
