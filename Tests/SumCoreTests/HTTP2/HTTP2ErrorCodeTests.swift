import Testing

@testable import SumCore

@Suite struct HTTP2ErrorCodeTests {
    @Test("An error code is shown by its name, or its number")
    func descriptions() {
        #expect("\(HTTP2ErrorCode.refusedStream)" == "REFUSED_STREAM")
        #expect("\(HTTP2ErrorCode(rawValue: 99))" == "error code 99")
    }
}
