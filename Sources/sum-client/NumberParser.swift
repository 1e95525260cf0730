import SumCore

/// Parses int32 numbers separated by white space, in text that arrives in blocks cut anywhere.
///
/// Skips a UTF-8 byte order mark at the start of the text, which editors on Windows write.
struct NumberParser {
    /// A word that is not an int32, and its place.
    struct BadNumber: Error, Equatable {
        /// Counted from 1.
        var line: Int
        /// The column of the word's first byte, counted in bytes from 1.
        var column: Int
        /// The word, or its beginning if it is long. If it is not valid UTF-8, bytes are written as `\xFF`.
        var word: String
        /// Whether the text begins with a UTF-16 byte order mark.
        var beginsAsUTF16 = false
    }

    /// The current line, and how many of its bytes have been parsed, not counting a cut word.
    private var line = 1
    private var lineLength = 0
    /// A word whose end has not arrived.
    private var cutWord = CutWord()
    /// How many bytes of a byte order mark have arrived; nil after the place where one may be.
    private var markLength: Int? = 0

    private static let mark: [UInt8] = [0xef, 0xbb, 0xbf]

    /// Appends the numbers in `block` to `numbers`, except for a last word that may continue in the next block.
    ///
    /// - Throws: the first word that is not an int32; the numbers before it have been appended.
    mutating func parse(_ block: Span<UInt8>, into numbers: inout [Int32]) throws(BadNumber) {
        guard markLength != nil else { return try parseText(block, into: &numbers) }
        let end = try skipMark(block)
        try parseText(block.extracting(end...), into: &numbers)
    }

    private mutating func parseText(_ block: Span<UInt8>, into numbers: inout [Int32]) throws(BadNumber) {
        let start = try completeCutWord(block, into: &numbers)
        let startLine = line
        var position = start
        while position < block.count {
            NumberScanner.scan(block, from: &position, line: &line, into: &numbers)
            let end = Self.wordEnd(in: block, from: position)
            let word = block.extracting(position..<end)
            if end == block.count {
                pass(block.extracting(start..<position), from: startLine)
                return try cut(word)
            }
            if !word.isEmpty {
                guard let number = Self.number(word) else {
                    pass(block.extracting(start..<position), from: startLine)
                    throw bad(CutWord(word))
                }
                numbers.append(number)
            }
            if block[end] == UInt8(ascii: "\n") { line += 1 }
            position = end + 1
        }
        pass(block.extracting(start...), from: startLine)
    }

    /// Appends the last number. Call this at the end of the text.
    mutating func finish(into numbers: inout [Int32]) throws(BadNumber) {
        if let length = markLength, length > 0 { try takeMarkAsWord(length) }
        guard cutWord.length > 0 else { return }
        guard let number = cutWord.number else { throw bad(cutWord) }
        numbers.append(number)
        lineLength += cutWord.length
        cutWord.removeAll()
    }

    /// Parses one word, such as an argument.
    ///
    /// - Returns: nil if it is not an int32.
    static func number(_ word: Span<UInt8>) -> Int32? {
        var position = 0
        let isNegative = word.count > 0 && word[0] == UInt8(ascii: "-")
        if isNegative || (word.count > 0 && word[0] == UInt8(ascii: "+")) { position = 1 }
        guard position < word.count else { return nil }
        var magnitude: Int64 = 0
        while position < word.count {
            guard let digit = digit(word[position]) else { return nil }
            // Stops growing once it is out of range, so that it cannot overflow.
            magnitude = min(magnitude * 10 + digit, 1 << 32)
            position += 1
        }
        return Int32(exactly: isNegative ? -magnitude : magnitude)
    }

    private static func digit(_ byte: UInt8) -> Int64? {
        let value = byte &- UInt8(ascii: "0")
        return value <= 9 ? Int64(value) : nil
    }

    // MARK: Byte order mark

    /// - Returns: where the rest of the block begins.
    private mutating func skipMark(_ block: Span<UInt8>) throws(BadNumber) -> Int {
        var position = 0
        while let length = markLength, position < block.count {
            if block[position] == Self.mark[length] {
                position += 1
                markLength = length + 1 < Self.mark.count ? length + 1 : nil
            } else {
                try takeMarkAsWord(length)
            }
        }
        return position
    }

    /// Treats the first bytes of an incomplete byte order mark as part of a word.
    private mutating func takeMarkAsWord(_ length: Int) throws(BadNumber) {
        markLength = nil
        try cut(Self.mark.span.extracting(..<length))
    }

    // MARK: Words cut by the end of a block

    /// - Returns: where the rest of the block begins.
    private mutating func completeCutWord(
        _ block: Span<UInt8>, into numbers: inout [Int32]
    ) throws(BadNumber) -> Int {
        guard cutWord.length > 0 else { return 0 }
        let end = Self.wordEnd(in: block, from: 0)
        try cut(block.extracting(..<end))
        guard end < block.count else { return end }
        try finish(into: &numbers)
        return end
    }

    /// Adds bytes to the cut word. Fails before its end arrives if it is too long to be shown and cannot be a number.
    private mutating func cut(_ bytes: Span<UInt8>) throws(BadNumber) {
        cutWord.append(bytes)
        if cutWord.isLong, cutWord.number == nil { throw bad(cutWord) }
    }

    // MARK: Places

    /// Updates the column for `text`, which began on the line `startLine`; `line` is already updated.
    private mutating func pass(_ text: Span<UInt8>, from startLine: Int) {
        guard line > startLine else {
            lineLength += text.count
            return
        }
        lineLength = 0
        while text[text.count - 1 - lineLength] != UInt8(ascii: "\n") { lineLength += 1 }
    }

    /// - Parameter word: a word that begins at the current place.
    private func bad(_ word: CutWord) -> BadNumber {
        let isFirst = line == 1 && lineLength == 0
        return BadNumber(
            line: line, column: lineLength + 1, word: word.shown,
            beginsAsUTF16: isFirst && word.beginsWithUTF16Mark)
    }

    private static func wordEnd(in block: Span<UInt8>, from start: Int) -> Int {
        var end = start
        while end < block.count, !NumberScanner.isSpace(block[end]) { end += 1 }
        return end
    }
}

/// A word of any length, of which only the beginning (for messages) and the significant digits are kept.
private struct CutWord {
    /// Bytes shown at most.
    private static let limit = 64
    /// Bytes of the longest number: a sign, a zero and ten digits.
    private static let longestNumber = 12

    private(set) var length = 0
    private var beginning: [UInt8] = []
    /// The word with its leading zeros reduced to one, cut one byte after the longest number.
    private var significant: [UInt8] = []

    init() {}

    init(_ word: Span<UInt8>) {
        append(word)
    }

    mutating func append(_ bytes: Span<UInt8>) {
        for index in bytes.indices {
            let byte = bytes[index]
            if beginning.count < Self.limit { beginning.append(byte) }
            if significant.count <= Self.longestNumber, !(byte == UInt8(ascii: "0") && isZero) {
                significant.append(byte)
            }
        }
        length += bytes.count
    }

    /// Whether it is zero so far, perhaps with a sign.
    private var isZero: Bool {
        let digits = "+-".utf8.contains(significant.first ?? 0) ? significant.dropFirst() : significant[...]
        return digits.count == 1 && digits.first == UInt8(ascii: "0")
    }

    var number: Int32? {
        significant.count > Self.longestNumber ? nil : NumberParser.number(significant.span)
    }

    mutating func removeAll() {
        length = 0
        beginning.removeAll(keepingCapacity: true)
        significant.removeAll(keepingCapacity: true)
    }

    var isLong: Bool { length > Self.limit }

    var beginsWithUTF16Mark: Bool {
        beginning.starts(with: [0xff, 0xfe]) || beginning.starts(with: [0xfe, 0xff])
    }

    var shown: String {
        var bytes = beginning[...]
        if isLong {
            // Drops an incomplete character at the end.
            for _ in 0..<3 where bytes.last.map({ $0 & 0xc0 == 0x80 }) == true { bytes.removeLast() }
            if let last = bytes.last, last >= 0xc0 { bytes.removeLast() }
        }
        return (String(validating: bytes, as: UTF8.self) ?? Self.escaped(bytes)) + (isLong ? "..." : "")
    }

    private static func escaped(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { byte in
            guard byte >= 0x80 else { return String(Unicode.Scalar(byte)) }
            return "\\x" + String(byte, radix: 16, uppercase: true)
        }.joined()
    }
}
