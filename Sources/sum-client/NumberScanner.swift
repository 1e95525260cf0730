/// The loop over text: reads words that are numbers, for as long as each is an int32 in at most ten digits, with
/// no sign or a minus, and one or more white spaces after it. What is not, `NumberParser` judges.
///
/// A word is found and read by arithmetic on eight bytes at a time: the place of the first byte that is no digit
/// gives its length, and three multiplications join digits to pairs, fours, and the eight. No branch depends on the
/// sign or, but for words of more than eight bytes, on how many digits there are. Since where a word begins is known
/// only when the one before it has been read, two cursors take turns, one from the middle on.
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
    /// What the next step waits for is only where this one ends, so that is found first, from the same eight bytes
    /// whatever the sign. Sound because it reads no further than `lookahead`, and a number takes two bytes at least.
    ///
    /// - Returns: false, and takes nothing, if there is something else, or it is too near to the end.
    @inline(__always)
    mutating func step(_ text: Span<UInt8>) -> Bool {
        guard position <= text.count &- Self.lookahead else { return false }
        let word = Digits(text.word(at: position))
        guard word.mayBegin else { return skip(text) }
        let minus = word.minus
        var length = word.countFromSecond
        var magnitude = word.without(minus).value(length)
        if length == 8 {
            let rest = Digits(text.word(at: position &+ 8))
            let restLength = rest.count
            guard restLength <= 2 &+ Int(minus) else { return false }
            if restLength > 0 {
                magnitude = magnitude &* (restLength == 1 ? 10 : restLength == 2 ? 100 : 1000)
                magnitude &+= rest.value(restLength)
            }
            guard magnitude <= Int64(Int32.max) &+ minus else { return false }
            length &+= restLength
        }
        let end = position &+ length
        let space = unsafe text[unchecked: end]
        let isLineFeed = space == UInt8(ascii: "\n")
        guard isLineFeed || NumberScanner.isSpace(space), length > Int(minus) else { return false }
        unsafe start[count] = Int32(truncatingIfNeeded: (magnitude ^ -minus) &+ minus)
        count &+= 1
        lineFeeds &+= isLineFeed ? 1 : 0
        position = end &+ 1
        return true
    }

    private mutating func skip(_ text: Span<UInt8>) -> Bool {
        let space = unsafe text[unchecked: position]
        guard NumberScanner.isSpace(space) else { return false }
        lineFeeds &+= space == UInt8(ascii: "\n") ? 1 : 0
        position &+= 1
        return true
    }
}

/// Eight bytes of text, the first of them lowest, less the "0" of each.
private struct Digits {
    private let bytes: UInt64

    @inline(__always)
    init(_ text: UInt64) { bytes = text ^ 0x3030_3030_3030_3030 }

    @inline(__always)
    private init(bytes: UInt64) { self.bytes = bytes }

    /// Whether the first byte is a digit or a minus, which are the bits of this mask.
    @inline(__always)
    var mayBegin: Bool {
        let first = bytes & 0xff
        return first < 32 && 0x2000_03ff as UInt64 &>> first & 1 != 0
    }

    /// 1 if the first byte, a digit or a minus, is a minus. No comparison: of that the compiler might make a branch.
    @inline(__always)
    var minus: Int64 { Int64(truncatingIfNeeded: bytes >> 4 & 1) }

    /// A minus, if the first byte is one, made 0.
    @inline(__always)
    func without(_ minus: Int64) -> Digits {
        Digits(bytes: bytes & ~(UInt64(truncatingIfNeeded: 0 &- minus) & 0xff))
    }

    /// The high bit of each byte that is no digit; higher than the first of them, also of others.
    @inline(__always)
    private var others: UInt64 {
        // 0x76 more than a digit's 9 reaches the high bit. Carries go upwards.
        (bytes &+ 0x7676_7676_7676_7676 | bytes) & 0x8080_8080_8080_8080
    }

    /// How many there are in a row.
    @inline(__always)
    var count: Int { others.trailingZeroBitCount >> 3 }

    /// The same, if the first byte, a digit or a minus, is counted too. Neither of these carries.
    @inline(__always)
    var countFromSecond: Int { (others & ~0x80).trailingZeroBitCount >> 3 }

    /// The number that the first 1 to 8 bytes are, most significant first.
    @inline(__always)
    func value(_ count: Int) -> Int64 {
        // Zeros take the places below the first byte that are not used. Each line joins neighbours: the product has, in
        // the upper half of each pair, the lower times the factor, plus the upper.
        var value = bytes &<< UInt64(truncatingIfNeeded: 64 &- 8 &* count)
        value = (value &* (10 << 8 | 1)) >> 8 & 0x00ff_00ff_00ff_00ff
        value = (value &* (100 << 16 | 1)) >> 16 & 0x0000_ffff_0000_ffff
        value = (value &* (10_000 << 32 | 1)) >> 32
        return Int64(truncatingIfNeeded: value)
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
