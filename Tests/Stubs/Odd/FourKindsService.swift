package import SumCore
internal import SwiftProtobuf

/// What the tests host.
package struct FourKindsService: Stubs_V1_FourKinds.Service {
    package init() {}

    package func double(request: Stubs_V1_Number, call: AsyncServerCall) async throws -> Stubs_V1_Number {
        guard request.value >= 0 else {
            throw GRPCStatus(code: .invalidArgument, message: "\(request.value) is negative")
        }
        return .with { $0.value = request.value &* 2 }
    }

    package func total(
        requests: GRPCRequests<Stubs_V1_Number>, call: AsyncServerCall
    ) async throws -> Stubs_V1_Number {
        var total = Stubs_V1_Number()
        for try await request in requests { total.value &+= request.value }
        return total
    }

    package func countTo(
        request: Stubs_V1_Number, responses: GRPCResponses<Stubs_V1_Number>, call: AsyncServerCall
    ) async throws {
        var number = Stubs_V1_Number()
        while number.value < request.value {
            number.value += 1
            try await responses.send(number)
        }
    }

    package func running(
        requests: GRPCRequests<Stubs_V1_Number>, responses: GRPCResponses<Stubs_V1_Number>,
        call: AsyncServerCall
    ) async throws {
        var total = Stubs_V1_Number()
        for try await request in requests {
            total.value &+= request.value
            try await responses.send(total)
        }
    }

    package func batchTotal(
        context: ServerCallContext
    ) throws(GRPCStatus) -> GRPCBatchCall<Stubs_V1_Number, Stubs_V1_Number> {
        GRPCBatchCall(context, startingWith: Stubs_V1_Number()) { total, numbers in
            for number in numbers { total.value &+= number.value }
        } answer: { total in
            total
        }
    }
}
