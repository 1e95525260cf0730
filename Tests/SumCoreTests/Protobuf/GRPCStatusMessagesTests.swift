import SwiftProtobuf
import Testing

@testable import SumCore

@Suite struct GRPCStatusMessagesTests {
    private static let violation = Google_Rpc_BadRequest.with {
        $0.fieldViolations = [
            .with {
                $0.field = "account.name"
                $0.description_p = "it is empty"
            }
        ]
    }
    private static let retry = Google_Rpc_RetryInfo.with { $0.retryDelay = .init(seconds: 3) }
    private static let own = Google_Protobuf_StringValue("own")
    private static let status = GRPCStatus(
        code: .invalidArgument, message: "no", details: [violation, own, retry])

    @Test("Details are found by their type")
    func typed() {
        #expect(Self.status.details(of: Google_Rpc_BadRequest.self) == [Self.violation])
        #expect(Self.status.details() == [Self.own])
        #expect(Self.status.details(of: Google_Rpc_Help.self) == [])
        #expect(Self.status.retryDelay == .seconds(3))
        let whole = Self.status.detailedStatus
        #expect(whole?.code == 3)
        #expect(whole?.message == "no")
        #expect(whole?.details.count == 3)
        #expect(whole.map(GRPCStatus.init) == Self.status)
    }

    @Test("Details of another code, and what is no google.rpc.Status, are no details")
    func unusable() {
        var status = Self.status
        status.code = .notFound
        #expect(status.detailedStatus == nil)
        #expect(status.details(of: Google_Rpc_BadRequest.self) == [])
        #expect(GRPCStatus(code: .notFound, details: [0xff]).detailedStatus == nil)
        #expect(GRPCStatus(code: .notFound, details: [any Message]()).details == [])
        #expect(GRPCStatus(.with { $0.code = 5 }) == GRPCStatus(code: .notFound))
    }

    @Test("A detail that cannot be decoded is left out")
    func malformed() {
        let status = GRPCStatus(
            .with {
                $0.code = 3
                $0.details = [
                    .with {
                        $0.typeURL = "type.googleapis.com/google.protobuf.StringValue"
                        $0.value = .init([0xff])
                    },
                    .with {
                        $0.typeURL = "type.googleapis.com/google.protobuf.StringValue"
                        $0.value = .init([0x0a, 1, 0x61])
                    },
                ]
            })
        #expect(status.details(of: Google_Protobuf_StringValue.self).map(\.value) == ["a"])
    }

    @Test("Well-known details are described by the names of their fields, others by their numbers")
    func description() {
        #expect(
            Self.status.detailsDescription == """
                google.rpc.BadRequest { field_violations { field: "account.name" description: "it is empty" } }, \
                google.protobuf.StringValue { 1: "own" }, google.rpc.RetryInfo { retry_delay { seconds: 3 } }
                """)
    }
}
