import Foundation
import Testing

@testable import SumTelemetry

@Suite struct JSONTextTests {
    @Test(
        "Text is escaped where JSON asks for it, and where a terminal would be deceived",
        arguments: [
            ("", #""""#), ("abc", #""abc""#), ("a\"b\\c", #""a\"b\\c""#), ("\n\r\t", #""\n\r\t""#),
            ("\u{0}\u{1b}[2J\u{7f}", #""\u0000\u001b[2J\u007f""#), ("é€", "\"é€\""), ("🧮", "\"🧮\""),
            // Line ends to JavaScript, and what reverses the text that follows.
            ("\u{2028}\u{2029}\u{202e}\u{200b}", #""\u2028\u2029\u202e\u200b""#),
            // Beyond 16 bits: a language tag.
            ("\u{e0041}", #""\udb40\udc41""#), ("\u{fffd}", "\"\u{fffd}\""), ("/", #""/""#),
        ])
    func escaping(_ text: String, _ expected: String) throws {
        var json = JSONText()
        json.string(text)
        #expect(String(decoding: json.bytes, as: UTF8.self) == expected)
        let value = try JSONSerialization.jsonObject(with: Data(json.bytes), options: .fragmentsAllowed)
        #expect(value as? String == text)
    }

    @Test("Every scalar comes back as it was")
    func allScalars() throws {
        for start in stride(from: UInt32(0), to: 0x3_0000, by: 0x1000) {
            var text = ""
            for value in start..<start + 0x1000 {
                if let scalar = Unicode.Scalar(value) { text.unicodeScalars.append(scalar) }
            }
            var json = JSONText()
            json.string(text)
            let value = try JSONSerialization.jsonObject(with: Data(json.bytes), options: .fragmentsAllowed)
            #expect(value as? String == text)
        }
    }

    @Test("Objects and arrays have commas where they belong")
    func structure() {
        var json = JSONText(after: Array("x".utf8))
        json.beginObject()
        json.name("a")
        json.integer(-1)
        json.name("b")
        json.beginArray()
        json.number(0.5)
        json.boolean(true)
        json.beginObject()
        json.endObject()
        json.beginArray()
        json.endArray()
        json.null()
        json.number(.infinity)
        json.number(.nan)
        json.endArray()
        json.name("c\"")
        json.string("d")
        json.endObject()
        #expect(
            String(decoding: json.bytes, as: UTF8.self)
                == #"x{"a":-1,"b":[0.5,true,{},[],null,null,null],"c\"":"d"}"#)
    }

    @Test("A long text is cut at the limit")
    func limit() {
        for (text, expected) in [
            ("abc", #""abc""#), ("abcd", #""abc...""#), ("ééé", "\"ééé\""), ("éééé", "\"ééé...\""),
        ] {
            var json = JSONText()
            json.value(text, limit: 3)
            #expect(String(decoding: json.bytes, as: UTF8.self) == expected)
        }
    }
}
