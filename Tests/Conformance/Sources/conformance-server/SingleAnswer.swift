import ConformanceMessages
import SumCore
import SwiftProtobuf

extension ConformanceService {
    /// The payload of a method that has one response.
    ///
    /// - Throws: the error that the definition asks for.
    static func payload(
        for requests: [some Message], by definition: UnaryResponseDefinition, in call: AsyncServerCall
    ) async throws -> ConformancePayload {
        try call.setResponseMetadata(GRPCMetadata(definition.responseHeaders))
        call.setTrailers(try GRPCMetadata(definition.responseTrailers))
        try await Task.sleep(for: .milliseconds(definition.responseDelayMs))
        let info = try ConformancePayload.RequestInfo(call, requests)
        if case .error(let error) = definition.response { throw try GRPCStatus(error, echoing: info) }
        return .with {
            $0.data = definition.responseData
            $0.requestInfo = info
        }
    }
}
