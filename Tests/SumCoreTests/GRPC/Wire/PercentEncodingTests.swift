import Testing

@testable import SumCore

@Suite struct PercentEncodingTests {
    @Test(
        "grpc-A3, abuse-G18, audit-P4: messages survive encoding and decoding, including spaces at their ends",
        arguments: [
            ("plain text", "plain text"), ("100%", "100%25"), ("line\r\nbreak", "line%0D%0Abreak"),
            ("é", "%C3%A9"),
            ("", ""), ("~ !", "~ !"), ("\u{7f}", "%7F"), ("a b ", "a b%20"), ("  a", "%20 a"), (" ", "%20"),
        ] as [(String, String)])
    func roundTrip(_ text: String, _ encoded: String) {
        #expect(PercentEncoding.encode(text) == encoded)
        #expect(PercentEncoding.decode(encoded) == text)
    }

    @Test(
        "grpc-A16: text that cannot be decoded is shown as received",
        arguments: [
            ("100%", "100%"), ("%4", "%4"), ("%zz", "%zz"), ("%c3%a9", "é"), ("%FF", "\u{fffd}"),
        ] as [(String, String)])
    func lenient(_ encoded: String, _ text: String) {
        #expect(PercentEncoding.decode(encoded) == text)
    }
}
