import ConformanceMessages
import SumCore
import SwiftProtobuf

extension ConformanceService {
    /// All methods of the service but `Unimplemented`.
    static var methods: [GRPCMethod] {
        [
            .unary(path: path("Unary")) { (request: UnaryRequest, call) in
                let payload = try await payload(for: [request], by: request.responseDefinition, in: call)
                return UnaryResponse.with { $0.payload = payload }
            },
            .unary(path: path("IdempotentUnary")) { (request: IdempotentUnaryRequest, call) in
                let payload = try await payload(for: [request], by: request.responseDefinition, in: call)
                return IdempotentUnaryResponse.with { $0.payload = payload }
            },
            .clientStreaming(path: path("ClientStream")) {
                (requests: GRPCRequests<ClientStreamRequest>, call) in
                var all: [ClientStreamRequest] = []
                for try await request in requests { all.append(request) }
                let definition = all.first?.responseDefinition ?? .init()
                let payload = try await payload(for: all, by: definition, in: call)
                return ClientStreamResponse.with { $0.payload = payload }
            },
            .serverStreaming(path: path("ServerStream")) {
                (request: ServerStreamRequest, responses: GRPCResponses<ServerStreamResponse>, call) in
                var answer = try StreamedAnswer(request.responseDefinition, call) { payload in
                    try await responses.send(.with { $0.payload = payload })
                }
                try await answer.sendAll(for: [request])
            },
            .bidirectionalStreaming(path: path("BidiStream"), exchange),
        ]
    }

    @Sendable private static func exchange(
        _ requests: GRPCRequests<BidiStreamRequest>, _ responses: GRPCResponses<BidiStreamResponse>,
        _ call: AsyncServerCall
    ) async throws {
        var requests = requests.makeAsyncIterator()
        guard let first = try await requests.next() else { return }
        var answer = try StreamedAnswer(first.responseDefinition, call) { payload in
            try await responses.send(.with { $0.payload = payload })
        }
        var unanswered = [first]
        if first.fullDuplex {
            while !unanswered.isEmpty, try await answer.sendNext(for: unanswered) {
                unanswered = try await requests.next().map { [$0] } ?? []
            }
        } else {
            while let request = try await requests.next() { unanswered.append(request) }
        }
        try await answer.sendAll(for: unanswered)
    }
}
