/// The loop over text: reads words that are numbers, for as long as each is an int32 in at most ten digits, with
/// no sign or a minus, and one or more white spaces after it. What is not, `NumberParser` judges.
///
/// A word is found and read by arithmetic on eight bytes at a time: the place of the first byte that is no digit
/// gives its length, and three multiplications join digits to pairs, fours, and the eight. No branch depends on the
/// sign or, but for words of more than eight, on how many digits there are. Since where a word begins is known only
/// when the one before it has been read, two cursors take turns, one from the middle on.
enum NumberScanner {
    /// Less text than this is not worth a second cursor.
    private static let smallestText = 256

    /// Appends the numbers from `start` on, and moves it to the first word that is not as above, or is so near to
    /// the end of `text` that it may go on beyond it.
    ///
    /// - Parameter line: grows with the line feeds passed.
    static func scan(
        _ text: Span<UInt8>, from start: inout Int, line: inout Int, into numbers: inout [Int32]
    ) {
        // The shortest number takes two bytes of text, so each cursor has room for all that it may find. Not room for
        // none: for that, Swift's library writes to the storage that all empty arrays share.
        numbers.append(addingCapacity: (text.count - start + 1) / 2) { output in
            unsafe output.withUnsafeMutableBufferPointer { output, count in
                guard let free = unsafe output.baseAddress.map({ unsafe $0 + count }) else { return }
                let middle = middle(of: text, from: start)
                var first = unsafe Cursor(position: start, free: free)
                var second = unsafe Cursor(position: middle, free: free + (middle - start) / 2)
                while first.position < middle, first.step(text), second.step(text) {}
                while first.position < middle, first.step(text) {}
                count += first.count
                line += first.lineFeeds
                start = first.position
                guard start == middle else { return }
                while second.step(text) {}
                unsafe (free + first.count).update(from: second.start, count: second.count)
                count += second.count
                line += second.lineFeeds
                start = second.position
            }
        }
    }

    /// Where a word may begin, behind white space, about halfway to the end; the end itself when that is near.
    private static func middle(of text: Span<UInt8>, from start: Int) -> Int {
        guard text.count - start >= smallestText else { return text.count }
        var middle = start + (text.count - start) / 2
        while middle < text.count, !isSpace(text[middle]) { middle += 1 }
        return min(middle + 1, text.count)
    }

    /// Space, tab, line feed, vertical tab, form feed, carriage return.
    @inline(__always)
    static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte &- 0x09 <= 0x0d - 0x09
    }
}

/// A place in the text, and the memory for the numbers that are found from there on.
@safe private struct Cursor {
    private(set) var position: Int
    private(set) var lineFeeds = 0
    private(set) var count = 0
    let start: UnsafeMutablePointer<Int32>

    /// Bytes that a step may read: a minus, twice eight, and a white space.
    private static let lookahead = 18

    /// - Parameter free: memory for half as many numbers as there are bytes to step over.
    init(position: Int, free: UnsafeMutablePointer<Int32>) {
        self.position = position
        unsafe start = free
    }

    /// Takes the number at `position` and the white space after it, or a white space.
    ///
    /// Sound because it reads no further than `lookahead`, and a number takes two bytes at least.
    ///
    /// - Returns: false, and takes nothing, if there is something else, or it is too near to the end.
    @inline(__always)
    mutating func step(_ text: Span<UInt8>) -> Bool {
        guard position <= text.count &- Self.lookahead else { return false }
        let minus: Int64 = unsafe text[unchecked: position] == UInt8(ascii: "-") ? 1 : 0
        let digits = position &+ Int(minus)
        var (digitCount, magnitude) = Self.leadingDigits(text.word(at: digits))
        if digitCount == 8 {
            let more = Self.leadingDigits(text.word(at: digits &+ 8))
            guard more.count <= 2 else { return false }
            if more.count > 0 { magnitude = magnitude &* (more.count == 1 ? 10 : 100) &+ more.value }
            digitCount &+= more.count
        }
        let end = digits &+ digitCount
        let space = unsafe text[unchecked: end]
        guard NumberScanner.isSpace(space), let number = Int32(exactly: (magnitude ^ -minus) &+ minus) else {
            return false
        }
        if digitCount > 0 {
            unsafe start[count] = number
            count &+= 1
        } else if minus != 0 {
            return false
        }
        lineFeeds &+= space == UInt8(ascii: "\n") ? 1 : 0
        position = end &+ 1
        return true
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
