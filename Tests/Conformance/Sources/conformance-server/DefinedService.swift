import ConformanceMessages
import SumCore
import SwiftProtobuf

/// Does in each call what its first request defines.
struct DefinedService: ConformanceService.Service {
    func unary(request: UnaryRequest, call: AsyncServerCall) async throws -> UnaryResponse {
        try await answer([request], by: request.responseDefinition, in: call)
    }

    func idempotentUnary(
        request: IdempotentUnaryRequest, call: AsyncServerCall
    ) async throws -> IdempotentUnaryResponse {
        try await answer([request], by: request.responseDefinition, in: call)
    }

    func clientStream(
        requests: GRPCRequests<ClientStreamRequest>, call: AsyncServerCall
    ) async throws -> ClientStreamResponse {
        var all: [ClientStreamRequest] = []
        for try await request in requests { all.append(request) }
        return try await answer(all, by: all.first?.responseDefinition ?? .init(), in: call)
    }

    func serverStream(
        request: ServerStreamRequest, responses: GRPCResponses<ServerStreamResponse>, call: AsyncServerCall
    ) async throws {
        var answer = try StreamedAnswer(request.responseDefinition, call, responses)
        try await answer.sendAll(for: [request])
    }

    func bidiStream(
        requests: GRPCRequests<BidiStreamRequest>, responses: GRPCResponses<BidiStreamResponse>,
        call: AsyncServerCall
    ) async throws {
        var requests = requests.makeAsyncIterator()
        guard let first = try await requests.next() else { return }
        var answer = try StreamedAnswer(first.responseDefinition, call, responses)
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

    func unimplemented(
        request: UnimplementedRequest, call: AsyncServerCall
    ) async throws -> UnimplementedResponse {
        throw GRPCStatus(code: .unimplemented)
    }
}
