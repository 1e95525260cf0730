import SumCore

/// Reads int32 numbers, with white space between them, from text that comes in blocks cut anywhere.
struct NumberParser {
    /// A word that is no number, and where it is.
    struct BadNumber: Error, Equatable {
        /// Counted from 1.
        var line: Int
        /// Of the word's first byte; counted in bytes, from 1.
        var column: Int
        /// The word, or its beginning if it is long.
        var word: String
    }

    /// The longest word that may be a number: a sign, zeros and digits.
    private static let wordLimit = 64

    /// The line that has been reached, and how many of its bytes; a cut word is not counted yet.
    private var line = 1
    private var lineLength = 0
    /// The beginning of a word whose end has not come.
    private var cutWord: [UInt8] = []

    /// Appends the numbers in `block` to `numbers`, but for a last word that may go on in the next block.
    ///
    /// - Throws: the first word that is no number; the numbers before it have been appended.
    mutating func parse(_ block: Span<UInt8>, into numbers: inout [Int32]) throws(BadNumber) {
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
                    throw bad(word)
                }
                numbers.append(number)
            }
            if block[end] == UInt8(ascii: "\n") { line += 1 }
            position = end + 1
        }
        pass(block.extracting(start...), from: startLine)
    }

    /// Appends the last number, at the end of the text.
    mutating func finish(into numbers: inout [Int32]) throws(BadNumber) {
        guard !cutWord.isEmpty else { return }
        guard let number = Self.number(cutWord.span) else { throw bad(cutWord.span) }
        numbers.append(number)
        lineLength += cutWord.count
        cutWord.removeAll(keepingCapacity: true)
    }

    /// Reads one word, such as an argument.
    ///
    /// - Returns: nil when it is not an int32.
    static func number(_ word: Span<UInt8>) -> Int32? {
        var position = 0
        let isNegative = word.count > 0 && word[0] == UInt8(ascii: "-")
        if isNegative || (word.count > 0 && word[0] == UInt8(ascii: "+")) { position = 1 }
        guard position < word.count, word.count <= wordLimit else { return nil }
        var magnitude: Int64 = 0
        while position < word.count {
            guard let digit = digit(word[position]) else { return nil }
            // Stops growing where it is out of range anyway.
            magnitude = min(magnitude * 10 + digit, 1 << 32)
            position += 1
        }
        return Int32(exactly: isNegative ? -magnitude : magnitude)
    }

    // MARK: Words that blocks cut

    /// - Returns: where the rest of the block begins.
    private mutating func completeCutWord(
        _ block: Span<UInt8>, into numbers: inout [Int32]
    ) throws(BadNumber) -> Int {
        guard !cutWord.isEmpty else { return 0 }
        let end = Self.wordEnd(in: block, from: 0)
        try cut(block.extracting(..<end))
        guard end < block.count else { return end }
        try finish(into: &numbers)
        return end
    }

    private mutating func cut(_ bytes: Span<UInt8>) throws(BadNumber) {
        for index in bytes.indices { cutWord.append(bytes[index]) }
        if cutWord.count > Self.wordLimit { throw bad(cutWord.span) }
    }

    // MARK: Places

    /// Moves the column beyond `text`, which began on the line `startLine`; `line` has moved already.
    private mutating func pass(_ text: Span<UInt8>, from startLine: Int) {
        guard line > startLine else {
            lineLength += text.count
            return
        }
        lineLength = 0
        while text[text.count - 1 - lineLength] != UInt8(ascii: "\n") { lineLength += 1 }
    }

    /// - Parameter word: it begins at the place that has been reached.
    private func bad(_ word: Span<UInt8>) -> BadNumber {
        let shown = (0..<min(word.count, Self.wordLimit)).map { word[$0] }
        let dots = word.count > Self.wordLimit ? "..." : ""
        return BadNumber(
            line: line, column: lineLength + 1, word: String(decoding: shown, as: UTF8.self) + dots)
    }

    private static func wordEnd(in block: Span<UInt8>, from start: Int) -> Int {
        var end = start
        while end < block.count, !NumberScanner.isSpace(block[end]) { end += 1 }
        return end
    }

    private static func digit(_ byte: UInt8) -> Int64? {
        let value = byte &- UInt8(ascii: "0")
        return value <= 9 ? Int64(value) : nil
    }
}
