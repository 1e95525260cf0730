import Testing

@testable import SumCore

@Suite struct GRPCStatusTests {
    @Test(
        "grpc-A12, abuse-K9: valid and malformed grpc-status",
        arguments: [
            ("0", 0), ("5", 5), ("16", 16), ("17", 17), ("abc", 2), ("-1", 2), ("99999999999", 2), ("", 2),
        ] as [(String, Int)])
    func received(_ text: String, _ code: Int) {
        #expect(GRPCStatus(trailers: [HTTP2Field("grpc-status", text)])?.code.rawValue == code)
    }

    @Test("Trailers without a grpc-status have no status")
    func absent() {
        #expect(GRPCStatus(trailers: [HTTP2Field("grpc-message", "x")]) == nil)
    }

    @Test(
        "grpc-A9, abuse-K6: the mapping of HTTP statuses",
        arguments: [
            ("400", .internalError), ("401", .unauthenticated), ("403", .permissionDenied),
            ("404", .unimplemented),
            ("429", .unavailable), ("502", .unavailable), ("503", .unavailable), ("504", .unavailable),
            ("200", .unknown),
            ("415", .unknown), ("431", .unknown), ("505", .unknown),
        ] as [(String, GRPCStatus.Code)])
    func httpStatus(_ text: String, _ code: GRPCStatus.Code) {
        let status = GRPCStatus(httpStatus: text, contentType: "text/html")
        #expect(status.code == code)
        #expect(status.message.contains(text) && status.message.contains("text/html"))
    }

    @Test(
        "grpc-A7: the mapping of RST_STREAM codes",
        arguments: [
            (.noError, .internalError), (.protocolError, .internalError), (.internalError, .internalError),
            (.flowControlError, .internalError), (.settingsTimeout, .internalError),
            (.frameSizeError, .internalError),
            (.refusedStream, .unavailable), (.cancel, .cancelled), (.compressionError, .internalError),
            (.connectError, .internalError),
            (.enhanceYourCalm, .resourceExhausted), (.inadequateSecurity, .permissionDenied),
        ] as [(HTTP2ErrorCode, GRPCStatus.Code)])
    func streamReset(_ reset: HTTP2ErrorCode, _ code: GRPCStatus.Code) {
        #expect(GRPCStatus.Code(streamReset: reset) == code)
    }

    @Test("A status is shown by its code's name, or number, and its message")
    func descriptions() {
        #expect("\(GRPCStatus(code: .outOfRange, message: "too\u{7} big"))" == "OUT_OF_RANGE: too\\u{07} big")
        #expect("\(GRPCStatus(code: .init(rawValue: 42)))" == "code 42")
    }
}
