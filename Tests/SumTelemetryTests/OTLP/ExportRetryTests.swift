import Foundation
import SwiftProtobuf
import Testing

@testable import SumCore
@testable import SumTelemetry

@Suite struct ExportRetryTests {
    /// A status with `google.rpc.RetryInfo`.
    static func status(_ code: GRPCStatus.Code, after seconds: Int64) throws -> GRPCStatus {
        let status = try Google_Rpc_Status.with {
            $0.code = Int32(code.rawValue)
            $0.details = [
                try .with {
                    $0.typeURL = "type.googleapis.com/google.rpc.RetryInfo"
                    $0.value = try Google_Rpc_RetryInfo.with { $0.retryDelay.seconds = seconds }
                        .serializedBytes()
                }
            ]
        }
        return GRPCStatus(code: code, details: try status.serializedBytes())
    }

    @Test("Which codes are tried again", arguments: 1...17)
    func codes(_ number: Int) throws {
        var retry = ExportRetry()
        let pause = retry.pause(after: GRPCStatus(code: .init(rawValue: number)))
        // CANCELLED, DEADLINE_EXCEEDED, ABORTED, OUT_OF_RANGE, UNAVAILABLE, DATA_LOSS.
        #expect((pause != nil) == [1, 4, 10, 11, 14, 15].contains(number))
    }

    @Test("A collector that is exhausted is asked again if it says when")
    func exhausted() throws {
        var retry = ExportRetry()
        #expect(retry.pause(after: GRPCStatus(code: .resourceExhausted)) == nil)
        #expect(retry.pause(after: try Self.status(.resourceExhausted, after: 0)) == nil)
        #expect(retry.pause(after: try Self.status(.resourceExhausted, after: 7)) == .seconds(7))
    }

    @Test("A collector may ask for a longer pause, within bounds")
    func asked() throws {
        var retry = ExportRetry()
        #expect(retry.pause(after: try Self.status(.unavailable, after: 20)) == .seconds(20))
        #expect(retry.pause(after: try Self.status(.unavailable, after: .max)) == .seconds(300))
        retry.reset()
        let pause = try #require(retry.pause(after: try Self.status(.unavailable, after: -5)))
        #expect(pause <= .seconds(1.2))
    }
}
