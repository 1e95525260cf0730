import Testing

@testable import SumCore

@Suite struct EscapingTests {
    @Test(
        "abuse-K18: text from a peer cannot move the cursor of a terminal",
        arguments: [
            ("a b é", "a b é"), ("\u{1b}[2J", "\\u{1B}[2J"), ("a\nb", "a\\nb"), ("\u{202e}x", "\\u{202E}x"),
            ("\u{9b}m", "\\u{009B}m"),
        ] as [(String, String)])
    func escaped(_ text: String, _ shown: String) {
        #expect(text.escapedForDisplay == shown)
    }

    @Test("abuse-K18: text from a peer is cut after 256 characters")
    func cut() {
        #expect(
            String(repeating: "a", count: 257).escapedForDisplay == String(repeating: "a", count: 256)
                + "...")
        #expect(String(repeating: "a", count: 256).escapedForDisplay.count == 256)
    }
}
