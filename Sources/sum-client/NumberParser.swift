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

    private var line = 1
    /// Bytes of the current line in the blocks before.
    private var lineLength = 0
    /// The beginning of a word whose end has not come.
    private var cutWord: [UInt8] = []

    /// Appends the numbers in `block` to `numbers`, but for a last word that may go on in the next block.
    ///
    /// - Throws: the first word that is no number; the numbers before it have been appended.
    mutating func parse(_ block: Span<UInt8>, into numbers: inout [Int32]) throws(BadNumber) {
        var position = try completeCutWord(block, into: &numbers)
        var lineStart = -lineLength
        while position < block.count {
            let byte = block[position]
            if Self.isSpace(byte) {
                position += 1
                if byte == UInt8(ascii: "\n") {
                    line += 1
                    lineStart = position
                }
            } else if let number = Self.shortNumber(in: block, at: &position) {
                numbers.append(number)
            } else {
                let end = Self.wordEnd(in: block, from: position)
                let column = position - lineStart + 1
                guard end < block.count else {
                    try cut(block.extracting(position..<end), column: column)
                    break
                }
                numbers.append(try number(block.extracting(position..<end), column: column))
                position = end
            }
        }
        lineLength = block.count - lineStart
    }

    /// Appends the last number, at the end of the text.
    mutating func finish(into numbers: inout [Int32]) throws(BadNumber) {
        guard !cutWord.isEmpty else { return }
        numbers.append(try number(cutWord.span, column: lineLength - cutWord.count + 1))
        cutWord = []
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
        let column = lineLength - cutWord.count + 1
        try cut(block.extracting(0..<end), column: column)
        if end < block.count {
            numbers.append(try number(cutWord.span, column: column))
            cutWord.removeAll(keepingCapacity: true)
        }
        return end
    }

    private mutating func cut(_ bytes: Span<UInt8>, column: Int) throws(BadNumber) {
        for index in bytes.indices { cutWord.append(bytes[index]) }
        if cutWord.count > Self.wordLimit { throw bad(cutWord.span, column: column) }
    }

    // MARK: Words

    private func number(_ word: Span<UInt8>, column: Int) throws(BadNumber) -> Int32 {
        guard let number = Self.number(word) else { throw bad(word, column: column) }
        return number
    }

    private func bad(_ word: Span<UInt8>, column: Int) -> BadNumber {
        let shown = (0..<min(word.count, Self.wordLimit)).map { word[$0] }
        let dots = word.count > Self.wordLimit ? "..." : ""
        return BadNumber(line: line, column: column, word: String(decoding: shown, as: UTF8.self) + dots)
    }

    /// The usual number in one pass: up to nine digits, which always fit, and white space after them.
    ///
    /// - Returns: nil for any other word, which stays.
    @inline(__always)
    private static func shortNumber(in block: Span<UInt8>, at position: inout Int) -> Int32? {
        let isNegative = block[position] == UInt8(ascii: "-")
        let start = isNegative ? position + 1 : position
        var end = start
        var magnitude: Int32 = 0
        while end < block.count, end - start <= 9, let digit = digit(block[end]) {
            magnitude = magnitude &* 10 &+ Int32(truncatingIfNeeded: digit)
            end += 1
        }
        guard end > start, end - start <= 9, end < block.count, isSpace(block[end]) else { return nil }
        position = end
        return isNegative ? -magnitude : magnitude
    }

    private static func wordEnd(in block: Span<UInt8>, from start: Int) -> Int {
        var end = start
        while end < block.count, !isSpace(block[end]) { end += 1 }
        return end
    }

    private static func digit(_ byte: UInt8) -> Int64? {
        let value = byte &- UInt8(ascii: "0")
        return value <= 9 ? Int64(value) : nil
    }

    /// Space, tab, line feed, vertical tab, form feed, carriage return.
    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || (0x09...0x0d).contains(byte)
    }
}
