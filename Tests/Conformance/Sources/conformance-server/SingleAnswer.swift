import ConformanceMessages
import SumCore
import SwiftProtobuf

extension DefinedService {
    /// The response of a method that has one.
    ///
    /// - Throws: the error that the definition asks for.
    func answer<Response: PayloadCarrier>(
        _ requests: [some Message], by definition: UnaryResponseDefinition, in call: AsyncServerCall
    ) async throws -> Response {
        try call.setResponseMetadata(GRPCMetadata(definition.responseHeaders))
        call.setTrailers(try GRPCMetadata(definition.responseTrailers))
        try await Task.sleep(for: .milliseconds(definition.responseDelayMs))
        let info = try ConformancePayload.RequestInfo(call, requests)
        if case .error(let error) = definition.response { throw try GRPCStatus(error, echoing: info) }
        return .with {
            $0.payload.data = definition.responseData
            $0.payload.requestInfo = info
        }
    }
}
