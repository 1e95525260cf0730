import ConformanceMessages
import SumCore
import SwiftProtobuf

/// The responses of a method that has any number of them, as the first request defines them.
struct StreamedAnswer<Response: PayloadCarrier> {
    private let definition: StreamResponseDefinition
    private let call: AsyncServerCall
    private let responses: GRPCResponses<Response>
    private var sentCount = 0

    init(
        _ definition: StreamResponseDefinition, _ call: AsyncServerCall, _ responses: GRPCResponses<Response>
    ) throws {
        self.definition = definition
        self.call = call
        self.responses = responses
        try call.setResponseMetadata(GRPCMetadata(definition.responseHeaders))
        call.setTrailers(try GRPCMetadata(definition.responseTrailers))
        // Some clients wait for the headers before they send or receive more.
        try call.sendResponseMetadata()
    }

    /// Sends the next response, which echoes `requests`. The first response echoes the call's metadata and timeout too.
    ///
    /// - Returns: false if no response is left.
    mutating func sendNext(for requests: [some Message]) async throws -> Bool {
        guard sentCount < definition.responseData.count else { return false }
        var payload = ConformancePayload()
        payload.data = definition.responseData[sentCount]
        if sentCount == 0 {
            payload.requestInfo = try .init(call, requests)
        } else if !requests.isEmpty {
            payload.requestInfo = try .init(requests)
        }
        try await Task.sleep(for: .milliseconds(definition.responseDelayMs))
        try await responses.send(.with { $0.payload = payload })
        sentCount += 1
        return true
    }

    /// Sends the responses that are left, the first of which echoes `requests`.
    ///
    /// - Throws: the error that the definition asks for.
    mutating func sendAll<Request: Message>(for requests: [Request]) async throws {
        var unanswered = requests
        while try await sendNext(for: unanswered) { unanswered = [] }
        guard definition.hasError else { return }
        if sentCount > 0 { throw GRPCStatus(definition.error) }
        throw try GRPCStatus(definition.error, echoing: .init(call, requests))
    }
}
