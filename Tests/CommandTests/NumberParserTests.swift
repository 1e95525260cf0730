import Testing

@testable import sum_client

@Suite struct NumberParserTests {
    /// Parses a text that arrives in these blocks.
    private func parse(_ blocks: [String]) throws -> [Int32] {
        var parser = NumberParser()
        var numbers: [Int32] = []
        for block in blocks { try parser.parse(Array(block.utf8).span, into: &numbers) }
        try parser.finish(into: &numbers)
        return numbers
    }

    private func parse(_ text: String) throws -> [Int32] { try parse([text]) }

    @Test(
        "Numbers separated by any white space",
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
        "abuse-K17, grpc-N3: a word that is not an int32 is reported with its place",
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

    @Test("Blocks may be cut anywhere")
    func everySplit() throws {
        let text = "12 -345\n+6789 2147483647\r\n\n -2147483648 0"
        let numbers: [Int32] = [12, -345, 6789, .max, .min, 0]
        for first in text.indices {
            #expect(try parse([String(text[..<first]), String(text[first...])]) == numbers)
        }
        #expect(try parse(text.map { String($0) }) == numbers)
    }

    @Test("An endless word is refused before it fills the memory")
    func endless() {
        let error = #expect(throws: NumberParser.BadNumber.self) {
            try parse(["1 ", String(repeating: "9", count: 1000), String(repeating: "9", count: 1000)])
        }
        #expect(error?.word == String(repeating: "9", count: 64) + "...")
        #expect(error?.column == 3)
    }

    @Test(
        "audit-C4: leading zeros are ignored, wherever they are cut", arguments: [64, 65, 5000])
    func zeros(_ count: Int) throws {
        let zeros = String(repeating: "0", count: count)
        #expect(try parse("\(zeros)5 -\(zeros)2147483648\n+\(zeros) 7") == [5, .min, 0, 7])
        for cut in [1, 63, 64, count] {
            #expect(
                try parse([String(zeros.prefix(cut)), String(zeros.dropFirst(cut)) + "2147483647", " 1"]) == [
                    .max, 1,
                ])
        }
        let bad = #expect(throws: NumberParser.BadNumber.self) {
            try parse(["1 ", zeros, zeros + "x ", "2"])
        }
        #expect(bad?.word == String(repeating: "0", count: 64) + "...")
        #expect(bad?.column == 3)
        #expect(throws: NumberParser.BadNumber(line: 2, column: 2, word: "x")) {
            try parse(["\(zeros)", "1\n", " x "])
        }
        #expect(throws: NumberParser.BadNumber(line: 1, column: count + 3, word: "x")) {
            try parse(["\(zeros)", "1", " x "])
        }
    }

    @Test("audit-C4: a word that is not UTF-8 is shown as bytes")
    func notUTF8() {
        let latin = #expect(throws: NumberParser.BadNumber.self) { try parse(bytes: [[0x31, 0xe9, 0x20]]) }
        #expect(latin?.word == "1\\xE9")
        let cut = #expect(throws: NumberParser.BadNumber.self) {
            try parse(String(repeating: "x", count: 63) + "éé ")
        }
        #expect(cut?.word == String(repeating: "x", count: 63) + "...")
        let long = #expect(throws: NumberParser.BadNumber.self) {
            try parse(bytes: [Array(repeating: 0x80, count: 100)])
        }
        #expect(long?.word == String(repeating: "\\x80", count: 61) + "...")
    }

    private func parse(bytes blocks: [[UInt8]]) throws -> [Int32] {
        var parser = NumberParser()
        var numbers: [Int32] = []
        for block in blocks { try parser.parse(block.span, into: &numbers) }
        try parser.finish(into: &numbers)
        return numbers
    }

    @Test("audit-C7: a byte order mark is skipped only at the start of a text, however it is cut")
    func byteOrderMark() throws {
        let text = Array("\u{feff}12 3".utf8)
        for first in 0...text.count {
            for second in first...text.count {
                let blocks = [text[..<first], text[first..<second], text[second...]].map(Array.init)
                #expect(try parse(bytes: blocks) == [12, 3])
            }
        }
        #expect(try parse("\u{feff}") == [])
        #expect(throws: NumberParser.BadNumber(line: 1, column: 3, word: "x")) { try parse("\u{feff}1 x") }
        #expect(throws: NumberParser.BadNumber(line: 1, column: 1, word: "\u{feff}5")) {
            try parse("\u{feff}\u{feff}5 ")
        }
        #expect(throws: NumberParser.BadNumber(line: 1, column: 3, word: "\u{feff}5")) {
            try parse("1 \u{feff}5 ")
        }
        for cut in 0...2 {
            let bytes: [UInt8] = [0xef, 0xbb, 0x31]
            let bad = #expect(throws: NumberParser.BadNumber.self) {
                try parse(bytes: [Array(bytes[..<cut]), Array(bytes[cut...])])
            }
            #expect(bad == NumberParser.BadNumber(line: 1, column: 1, word: "\\xEF\\xBB1"))
        }
        let alone = #expect(throws: NumberParser.BadNumber.self) { try parse(bytes: [[0xef, 0xbb]]) }
        #expect(alone?.word == "\\xEF\\xBB")
    }

    @Test(
        "audit-C7: the byte order mark of UTF-16 is recognised",
        arguments: [[0xff, 0xfe, 0x31, 0, 0x0a, 0], [0xfe, 0xff, 0, 0x31, 0, 0x0a]] as [[UInt8]])
    func utf16(_ bytes: [UInt8]) {
        for cut in 0...bytes.count {
            let bad = #expect(throws: NumberParser.BadNumber.self) {
                try parse(bytes: [Array(bytes[..<cut]), Array(bytes[cut...])])
            }
            #expect(bad?.beginsAsUTF16 == true)
        }
        let later = #expect(throws: NumberParser.BadNumber.self) { try parse(bytes: [[0x31, 0x20] + bytes]) }
        #expect(later?.beginsAsUTF16 == false)
    }

    /// So much text that it is read from the middle too.
    @Test(
        "The place of a bad word is right wherever in a long text it stands",
        arguments: ["-.5", "-/", "1/", "-", "x"])
    func everyPlace(_ word: String) {
        let lines = (0..<120).map { $0 % 3 == 0 ? "\($0)" : $0 % 3 == 1 ? "-1234567 89" : "2147483647" }
        for place in lines.indices {
            let text = (lines[..<place] + [" " + word] + lines[place...]).joined(separator: "\n")
            let bad = NumberParser.BadNumber(line: place + 1, column: 2, word: word)
            #expect(throws: bad) { try parse(text) }
            #expect(throws: bad) { try parse(text + "\n") }
        }
    }

    @Test("A long text may end anywhere, and its numbers may be of any length", arguments: 0..<40)
    func everyEnd(_ extra: Int) throws {
        for number: Int32 in [0, -7, 1_234_567, -1_234_567, 12_345_678, 123_456_789, .max, .min] {
            let numbers = Array(repeating: number, count: 40) + (0..<Int32(extra))
            let text = numbers.map { "\($0)" }.joined(separator: " ")
            #expect(try parse(text) == numbers)
            #expect(try parse(text + "\r\n") == numbers)
            #expect(try parse("\n" + text + " ") == numbers)
        }
    }

    @Test("Numbers before a bad word are delivered", arguments: ["1 2 x 3", "1 2 x"])
    func numbersBefore(_ text: String) {
        var parser = NumberParser()
        var numbers: [Int32] = []
        #expect(throws: NumberParser.BadNumber.self) {
            try parser.parse(Array(text.utf8).span, into: &numbers)
            try parser.finish(into: &numbers)
        }
        #expect(numbers == [1, 2])
    }

    /// A naive parser: words separated by white space, each parsed by `Int32`, with its place.
    private func parseSlowly(_ text: [UInt8]) -> (numbers: [Int32], bad: NumberParser.BadNumber?) {
        var numbers: [Int32] = []
        var (line, column, position) = (1, 1, 0)
        while position < text.count {
            let rest = text[position...]
            let word = rest.prefix { !" \t\n\u{b}\u{c}\r".utf8.contains($0) }
            guard !word.isEmpty else {
                (line, column) = text[position] == UInt8(ascii: "\n") ? (line + 1, 1) : (line, column + 1)
                position += 1
                continue
            }
            let string = String(decoding: word, as: UTF8.self)
            guard let number = Int32(string) else {
                return (numbers, .init(line: line, column: column, word: string))
            }
            numbers.append(number)
            column += word.count
            position += word.count
        }
        return (numbers, nil)
    }

    /// A word and its separator: mostly a number, mostly on a line of its own.
    private func anyWord(mistakes: Bool, _ generator: inout SystemRandomNumberGenerator) -> String {
        let number = Int64.random(in: -(1 << 31)..<(1 << 31), using: &generator)
        let short = number >> Int64.random(in: 0..<32, using: &generator)
        let word =
            switch Int.random(in: 0..<(mistakes ? 1005 : 1000), using: &generator) {
            case ..<900: "\(short)"
            case ..<930: "+\(abs(short) >> 1)"
            case ..<960: "000\(abs(short) >> 1)"
            case ..<970: "-0"
            case ..<980: "-0000000000\(abs(short) >> 1)"
            case ..<1000: ["2147483647", "-2147483648", "99999999", "999999999", "0"].randomElement() ?? ""
            default:
                [
                    "2147483648", "-2147483649", "9999999999", "12345678901", "1-2", "--1", "1.5", "x", "-",
                    "12a", "1\0",
                ]
                .randomElement() ?? ""
            }
        let space = [" ", "\r\n", "\t", "\n\n", "  "].randomElement() ?? " "
        return word + (Bool.random(using: &generator) ? "\n" : space)
    }

    @Test("Random text gives the result of a naive parser, wherever it is cut", arguments: [false, true])
    func differential(_ mistakes: Bool) throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<300 {
            let count = Int.random(in: 0..<300, using: &generator)
            let text = Array((0..<count).map { _ in anyWord(mistakes: mistakes, &generator) }.joined().utf8)
            let expected = parseSlowly(text)
            let longest = [1, 7, 30, 100, 10_000].randomElement() ?? 1
            var parser = NumberParser()
            var numbers: [Int32] = []
            var bad: NumberParser.BadNumber?
            do throws(NumberParser.BadNumber) {
                var start = 0
                while start < text.count {
                    let end = min(text.count, start + Int.random(in: 1...longest, using: &generator))
                    try parser.parse(text.span.extracting(start..<end), into: &numbers)
                    start = end
                }
                try parser.finish(into: &numbers)
            } catch {
                bad = error
            }
            #expect(numbers == expected.numbers)
            #expect(bad == expected.bad)
        }
    }
}
