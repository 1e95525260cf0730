import Testing

@testable import sum_client

@Suite struct NumberParserTests {
    /// Parses a text that comes in these blocks.
    private func parse(_ blocks: [String]) throws -> [Int32] {
        var parser = NumberParser()
        var numbers: [Int32] = []
        for block in blocks { try parser.parse(Array(block.utf8).span, into: &numbers) }
        try parser.finish(into: &numbers)
        return numbers
    }

    private func parse(_ text: String) throws -> [Int32] { try parse([text]) }

    @Test(
        "Numbers between any white space",
        arguments: [
            ("", []), (" \n\t\r\n", []), ("1", [1]), ("1\n", [1]),
            ("1 -2\t+3\r\n4\u{b}5\u{c}6", [1, -2, 3, 4, 5, 6]),
            ("2147483647 -2147483648", [.max, .min]), ("0 -0 +0 007 -00012", [0, 0, 0, 7, -12]),
            ("0000000000000000005\n", [5]),
            ("999999999\n1000000000\n-1000000000 ", [999_999_999, 1_000_000_000, -1_000_000_000]),
        ] as [(String, [Int32])])
    func valid(_ text: String, _ numbers: [Int32]) throws {
        #expect(try parse(text) == numbers)
    }

    @Test(
        "K17, N3: a word that is no int32 is named with its place",
        arguments: [
            ("abc", 1, 1, "abc"), ("1 2 x", 1, 5, "x"), ("1\n2\n 3 abc 4", 3, 4, "abc"),
            ("1\r\n\r\n--2", 3, 1, "--2"),
            ("2147483648", 1, 1, "2147483648"), ("1 -2147483649\n", 1, 3, "-2147483649"),
            ("99999999999999999999 ", 1, 1, "99999999999999999999"),
            ("1.5", 1, 1, "1.5"), ("1e3 ", 1, 1, "1e3"), ("+ ", 1, 1, "+"), ("-", 1, 1, "-"),
            ("1-2 ", 1, 1, "1-2"), ("0x10 ", 1, 1, "0x10"),
            ("1,2\n", 1, 1, "1,2"), ("\u{0}1 ", 1, 1, "\u{0}1"), ("1\n\t\té ", 2, 3, "é"),
        ] as [(String, Int, Int, String)])
    func invalid(_ text: String, _ line: Int, _ column: Int, _ word: String) {
        #expect(throws: NumberParser.BadNumber(line: line, column: column, word: word)) { try parse(text) }
        for cut in text.utf8.indices {
            let blocks = [String(text.utf8[..<cut]), String(text.utf8[cut...])].compactMap { $0 }
            guard blocks.count == 2 else { continue }
            #expect(throws: NumberParser.BadNumber(line: line, column: column, word: word)) {
                try parse(blocks)
            }
        }
    }

    @Test("Blocks are cut anywhere")
    func everySplit() throws {
        let text = "12 -345\n+6789 2147483647\r\n\n -2147483648 0"
        let numbers: [Int32] = [12, -345, 6789, .max, .min, 0]
        for first in text.indices {
            #expect(try parse([String(text[..<first]), String(text[first...])]) == numbers)
        }
        #expect(try parse(text.map { String($0) }) == numbers)
    }

    @Test("A word without an end is refused before it fills the memory")
    func endless() {
        let error = #expect(throws: NumberParser.BadNumber.self) {
            try parse(["1 ", String(repeating: "9", count: 1000), String(repeating: "9", count: 1000)])
        }
        #expect(error?.word == String(repeating: "9", count: 64) + "...")
        #expect(error?.column == 3)
    }

    @Test("Numbers before a bad one are there", arguments: ["1 2 x 3", "1 2 x"])
    func numbersBefore(_ text: String) {
        var parser = NumberParser()
        var numbers: [Int32] = []
        #expect(throws: NumberParser.BadNumber.self) {
            try parser.parse(Array(text.utf8).span, into: &numbers)
            try parser.finish(into: &numbers)
        }
        #expect(numbers == [1, 2])
    }
}
