import Foundation
import SwiftProtobuf
import Testing

@testable import SumCore

@Suite struct GRPCErrorInfoTests {
    private static let info = GRPCErrorInfo(reason: "NO", domain: "a.A", metadata: ["k": "v\n", "a": ""])

    /// A status with these details, in order.
    private func status(
        code: Int32 = 5, _ details: [(type: String, value: [UInt8])]
    ) throws -> GRPCStatus {
        let status = Google_Rpc_Status.with {
            $0.code = code
            $0.details = details.map { detail in
                .with {
                    $0.typeURL = detail.type
                    $0.value = Data(detail.value)
                }
            }
        }
        return GRPCStatus(code: .notFound, details: try status.serializedBytes())
    }

    @Test("grpc-N4: the cause of an error is written into the details, and read from them")
    func roundTrip() throws {
        let status = GRPCStatus(code: .notFound, message: "no: ü", errorInfo: Self.info)
        #expect(status.code == .notFound)
        #expect(status.message == "no: ü")
        #expect(status.errorInfo == Self.info)
        let details = try Google_Rpc_Status(serializedBytes: status.details)
        #expect(details.code == 5)
        #expect(details.message == "no: ü")
        #expect(details.details.map(\.typeURL) == ["type.googleapis.com/google.rpc.ErrorInfo"])
        // The fields are always in the same order.
        #expect(GRPCStatus(code: .notFound, message: "no: ü", errorInfo: Self.info) == status)
    }

    @Test("The first ErrorInfo counts, whatever other details there are")
    func others() throws {
        let info: [UInt8] = [0x0a, 1, 0x41]
        #expect(try status([("x/google.rpc.ErrorInfo", info)]).errorInfo?.reason == "A")
        #expect(
            try status([("x/a.B", [8, 1]), ("x/google.rpc.ErrorInfo", info), ("x/google.rpc.ErrorInfo", [])])
                .errorInfo?.reason == "A")
    }

    @Test("Without an ErrorInfo that can be read, there is none")
    func none() throws {
        #expect(GRPCStatus(code: .notFound).errorInfo == nil)
        #expect(GRPCStatus(code: .notFound, details: [1, 2, 3]).errorInfo == nil)
        #expect(try status([]).errorInfo == nil)
        #expect(try status([("x/a.B", [8, 1])]).errorInfo == nil)
        #expect(try status([("x/google.rpc.ErrorInfo", [0x0a, 5, 0x41])]).errorInfo == nil)
        // The details of another code.
        #expect(try status(code: 6, [("x/google.rpc.ErrorInfo", [0x0a, 1, 0x41])]).errorInfo == nil)
    }

    @Test("Details are shown on one line, those of an ErrorInfo by name")
    func descriptions() throws {
        #expect(GRPCStatus(code: .notFound).detailsDescription == nil)
        #expect(
            GRPCStatus(code: .notFound, details: [1, 2, 3]).detailsDescription
                == "3 bytes of details that are not a google.rpc.Status")
        #expect(
            GRPCStatus(code: .notFound, errorInfo: GRPCErrorInfo(reason: "NO\n", domain: "a.A"))
                .detailsDescription == #"google.rpc.ErrorInfo { reason: "NO\n" domain: "a.A" }"#)
        #expect(
            try status([("x/a.B", [8, 1]), ("x/a.C", []), ("x/google.rpc.ErrorInfo", [0x0a, 5, 0x41])])
                .detailsDescription == "a.B { 1: 1 }, a.C {}, google.rpc.ErrorInfo { 3 bytes }")
    }
}
