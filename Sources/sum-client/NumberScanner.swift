/// The loop over text: reads words that are numbers, for as long as each is an int32 in at most ten digits, with
/// no sign or a minus, and one or more white spaces after it. What is not, `NumberParser` judges.
///
/// A word is found and read by arithmetic on eight bytes at a time: the place of the first byte that is no digit
/// gives its length, and three multiplications join digits to pairs, fours, and the eight. So its time does not
/// depend on how many digits there are, but for words of more than eight, which take two turns.
enum NumberScanner {
    /// Bytes that a turn may read: a minus, and twice eight.
    private static let lookahead = 17

    /// Appends the numbers from `start` on, and moves it to the first word that is not as above, or is so near to
    /// the end of `text` that it may go on beyond it.
    ///
    /// - Parameter line: grows with the line feeds passed.
    static func scan(
        _ text: Span<UInt8>, from start: inout Int, line: inout Int, into numbers: inout OutputSpan<Int32>
    ) {
        var position = start
        var lineFeeds = 0
        while position <= text.count - lookahead, !numbers.isFull {
            let word = text.word(at: position)
            // A mask, since a branch on the sign would be a guess.
            let minus: UInt64 = UInt8(truncatingIfNeeded: word) == UInt8(ascii: "-") ? ~0 : 0
            var (count, magnitude) = leadingDigits(word & ~minus | text.word(at: position &+ 1) & minus)
            let digits = position &- Int(truncatingIfNeeded: minus)
            if count == 0 {
                guard isSpace(text[position]) else { break }
                if text[position] == UInt8(ascii: "\n") { lineFeeds &+= 1 }
                position &+= 1
                continue
            }
            if count == 8 {
                let more = leadingDigits(text.word(at: digits &+ 8))
                guard more.count <= 2 else { break }
                if more.count > 0 { magnitude = magnitude &* (more.count == 1 ? 10 : 100) &+ more.value }
                count &+= more.count
            }
            let end = digits &+ count
            let sign = Int64(truncatingIfNeeded: minus)
            guard isSpace(text[end]), let number = Int32(exactly: (magnitude ^ sign) &- sign) else { break }
            numbers.append(number)
            lineFeeds &+= text[end] == UInt8(ascii: "\n") ? 1 : 0
            position = end &+ 1
        }
        start = position
        line += lineFeeds
    }

    /// The digits that a word begins with, and the number they are, if there are any.
    @inline(__always)
    private static func leadingDigits(_ word: UInt64) -> (count: Int, value: Int64) {
        let digits = word ^ 0x3030_3030_3030_3030
        // 0x76 more than a digit's 9 reaches the high bit. Only the first such bit is used: carries go upwards.
        let others = (digits &+ 0x7676_7676_7676_7676 | digits) & 0x8080_8080_8080_8080
        let count = others.trailingZeroBitCount >> 3
        // The first digit is the lowest byte; zeros take the places below it that are not used.
        var value = digits &<< UInt64(truncatingIfNeeded: 64 &- 8 &* count)
        value = (value &* 10 &+ value >> 8) & 0x00ff_00ff_00ff_00ff
        value = (value &* 100 &+ value >> 16) & 0x0000_ffff_0000_ffff
        value = (value &* 10_000 &+ value >> 32) & 0xffff_ffff
        return (count, Int64(truncatingIfNeeded: value))
    }

    /// Space, tab, line feed, vertical tab, form feed, carriage return.
    @inline(__always)
    static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte &- 0x09 <= 0x0d - 0x09
    }
}

extension Span<UInt8> {
    /// The eight bytes from `position` on, the first of them lowest.
    ///
    /// The caller keeps `position` + 8 within the span: this is the innermost loop.
    @inline(__always)
    fileprivate func word(at position: Int) -> UInt64 {
        unsafe UInt64(
            littleEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: position, as: UInt64.self))
    }
}
