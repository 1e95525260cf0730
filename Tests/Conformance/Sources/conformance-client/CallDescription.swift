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
        switch request.method {
        case "Unary": try await make(with: client, UnaryRequest.self, UnaryResponse.self)
        case "IdempotentUnary":
            try await make(with: client, IdempotentUnaryRequest.self, IdempotentUnaryResponse.self)
        case "ClientStream": try await make(with: client, ClientStreamRequest.self, ClientStreamResponse.self)
        case "ServerStream": try await make(with: client, ServerStreamRequest.self, ServerStreamResponse.self)
        case "BidiStream": try await make(with: client, BidiStreamRequest.self, BidiStreamResponse.self)
        case "Unimplemented":
            try await make(with: client, UnimplementedRequest.self, UnimplementedResponse.self)
        default: throw UnusableRequest(description: "unknown method '\(request.method)'")
        }
    }

    private func make<Request: Message, Response: PayloadCarrier>(
        with client: GRPCClient, _: Request.Type, _: Response.Type
    ) async throws -> ClientResponseResult {
        let messages = try request.requestMessages.map { try Request(unpackingAny: $0) }
        let path = ConformanceService.path(request.method)
        let call = client.call(path, options: options, sending: Request.self, receiving: Response.self)
        var described = DescribedCall(request, messages, call)
        return await described.run()
    }
}

/// A response message of the service.
protocol PayloadCarrier: Message {
    var payload: ConformancePayload { get }
}

extension UnaryResponse: PayloadCarrier {}
extension IdempotentUnaryResponse: PayloadCarrier {}
extension ClientStreamResponse: PayloadCarrier {}
extension ServerStreamResponse: PayloadCarrier {}
extension BidiStreamResponse: PayloadCarrier {}
extension UnimplementedResponse: PayloadCarrier {
    var payload: ConformancePayload { .init() }
}
