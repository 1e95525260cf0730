internal import SwiftProtobuf

/// Calls of the services known to this library.
extension GRPCClient {
    /// Begins a call of `SumNumbers`.
    public func sumNumbers(_ options: GRPCCallOptions = .init()) -> SumNumbersCall {
        SumNumbersCall(call(SumNumbers.path, options: options))
    }

    /// Calls `SumNumbers` with numbers that are all available, which costs less than sending them piece by piece.
    ///
    /// - Throws: the call's `GRPCStatus` unless it succeeded with exactly one sum.
    nonisolated(nonsending) public func sum(
        of numbers: [Int32], options: GRPCCallOptions = .init()
    ) async throws(GRPCStatus) -> Int32 {
        guard options.compression == .identity else {
            let call = sumNumbers(options)
            try await call.send(contentsOf: numbers)
            return try await call.closeAndReceive()
        }
        let sum = OneShotSum(of: numbers, maxMessageSize: configuration.maxMessageSize)
        let call = prepare(SumNumbers.path, options, handler: sum)
        return try await sum.outcome(of: call, begin: call.begin).get()
    }

    /// Asks the standard health service for the status of a service, or, with an empty name, of the server.
    ///
    /// - Throws: NOT_FOUND for a service unknown to the server, UNIMPLEMENTED if it has no health service, or any other
    ///   `GRPCStatus` the call ends with.
    public func checkHealth(
        of service: String = "", options: GRPCCallOptions = .init()
    ) async throws(GRPCStatus) -> Health.ServingStatus {
        let request = Grpc_Health_V1_HealthCheckRequest.with { $0.service = service }
        let response: Grpc_Health_V1_HealthCheckResponse = try await unary(
            Health.checkPath, request, options: options)
        switch response.status {
        case .serving: return .serving
        case .serviceUnknown: return .unknownService
        case .notServing, .unknown, .UNRECOGNIZED: return .notServing
        }
    }
}
