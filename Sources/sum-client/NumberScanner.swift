/// The loop over text. It accepts int32 numbers of at most ten digits, with a minus or no sign, each followed by white
/// space, and stops at anything else, which `NumberParser` handles.
///
/// It finds and reads a word by arithmetic on eight bytes at a time: the position of the first byte that is not a digit
/// gives the length, and three multiplications join digits into pairs, fours, and the eight. No branch depends on the
/// sign, nor on the number of digits unless a word has more than eight bytes. Where a word begins is known only after
/// the one before it has been read, so two cursors work in alternation, the second one from the middle on.
enum NumberScanner {
    /// Bytes of text below which a second cursor is not worth while.
    private static let smallestText = 256

    /// Appends the numbers from `start` on, and moves `start` to the first word that the loop does not accept, or that
    /// is so close to the end of `text` that it may continue in the next block.
    ///
    /// - Parameter line: is increased by the number of line feeds passed.
    static func scan(
        _ text: Span<UInt8>, from start: inout Int, line: inout Int, into numbers: inout [Int32]
    ) {
        // The shortest number takes two bytes of text, so each cursor has room for all it can find. The capacity is
        // never 0, for which Swift's library would write to the storage that all empty arrays share.
        numbers.append(addingCapacity: (text.count - start + 1) / 2) { output in
            unsafe output.withUnsafeMutableBufferPointer { output, count in
                guard let free = unsafe output.baseAddress.map({ unsafe $0 + count }) else { return }
                let middle = middle(of: text, from: start)
                var first = unsafe Cursor(position: start, free: free)
                var second = unsafe Cursor(position: middle, free: free + (middle - start) / 2)
                stepTogether(&first, to: middle, &second, in: text)
                while first.position < middle, first.canStep(in: text), first.step(text) {}
                count += first.count
                line += first.lineFeeds
                start = first.position
                guard start == middle else { return }
                while second.canStep(in: text), second.step(text) {}
                unsafe (free + first.count).update(from: second.start, count: second.count)
                count += second.count
                line += second.lineFeeds
                start = second.position
            }
        }
    }

    /// Moves both cursors on, until one of them is close to the end of its part, or at something that it does not take.
    private static func stepTogether(
        _ first: inout Cursor, to middle: Int, _ second: inout Cursor, in text: Span<UInt8>
    ) {
        while true {
            // So many steps need no check of where the text ends.
            let left = min(middle - first.position, text.count - Cursor.lookahead - second.position)
            let steps = left / Cursor.longestStep
            guard steps > 0 else { return }
            for _ in 0..<steps {
                guard first.step(text), second.step(text) else { return }
            }
        }
    }

    /// A position after white space, about halfway to the end; the end itself if there is little text.
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

/// A position in the text, and the memory for the numbers found from there on.
@safe private struct Cursor {
    private(set) var position: Int
    private(set) var lineFeeds = 0
    let start: UnsafeMutablePointer<Int32>
    /// Where the next number goes.
    private var free: UnsafeMutablePointer<Int32>

    /// Bytes that a step may read: a minus, two words of eight, and a white space.
    static let lookahead = 18
    /// Bytes that a step may take: a minus, ten digits, and a white space.
    static let longestStep = 12

    /// - Parameter free: memory for one number per two bytes of text.
    init(position: Int, free: UnsafeMutablePointer<Int32>) {
        self.position = position
        unsafe start = free
        unsafe self.free = free
    }

    /// How many numbers were found.
    var count: Int { unsafe free - start }

    /// Whether the text goes on for as long as a step may read.
    @inline(__always)
    func canStep(in text: Span<UInt8>) -> Bool { position <= text.count &- Self.lookahead }

    /// Takes the number at `position` with the white space after it, or one white space.
    ///
    /// The next step depends only on where this one ends, so the end is computed first, from the same eight bytes
    /// whatever the sign. Sound where `canStep` holds, because a step reads at most `lookahead` bytes, and a number
    /// takes at least two.
    ///
    /// - Returns: false, without taking anything, if there is something else.
    @inline(__always)
    mutating func step(_ text: Span<UInt8>) -> Bool {
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
        guard length > Int(minus) else { return false }
        let space = unsafe text[unchecked: end]
        // A branch rather than arithmetic: what separates the numbers of a text is mostly the same.
        if _fastPath(space == UInt8(ascii: "\n")) {
            lineFeeds &+= 1
        } else if !NumberScanner.isSpace(space) {
            return false
        }
        unsafe free.pointee = Int32(truncatingIfNeeded: (magnitude ^ -minus) &+ minus)
        unsafe free += 1
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

/// Eight bytes of text, the first one lowest, each XORed with the character "0".
private struct Digits {
    private let bytes: UInt64

    @inline(__always)
    init(_ text: UInt64) { bytes = text ^ 0x3030_3030_3030_3030 }

    @inline(__always)
    private init(bytes: UInt64) { self.bytes = bytes }

    /// Whether the first byte is a digit or a minus: the bits set in this mask.
    @inline(__always)
    var mayBegin: Bool {
        let first = bytes & 0xff
        return first < 32 && 0x2000_03ff as UInt64 &>> first & 1 != 0
    }

    /// 1 if the first byte, a digit or a minus, is a minus. Not a comparison, which the compiler might turn into a
    /// branch.
    @inline(__always)
    var minus: Int64 { Int64(truncatingIfNeeded: bytes >> 4 & 1) }

    /// The bytes with the first one set to 0 if it is a minus.
    @inline(__always)
    func without(_ minus: Int64) -> Digits {
        Digits(bytes: bytes &- UInt64(truncatingIfNeeded: minus &* (0x2d ^ 0x30)))
    }

    /// The high bit is set in the first byte that is not a digit. Bytes after it may have it set as well.
    @inline(__always)
    private var others: UInt64 {
        // Adding 0x76 sets the high bit of anything above 9. Carries go to higher bytes only.
        (bytes &+ 0x7676_7676_7676_7676 | bytes) & 0x8080_8080_8080_8080
    }

    /// How many bytes from the first on are digits.
    @inline(__always)
    var count: Int { others.trailingZeroBitCount >> 3 }

    /// The same, counting the first byte even if it is a minus. Neither a digit nor a minus carries.
    @inline(__always)
    var countFromSecond: Int { (others & ~0x80).trailingZeroBitCount >> 3 }

    /// The number formed by the first 1 to 8 digits, most significant first.
    @inline(__always)
    func value(_ count: Int) -> Int64 {
        // Shifts zeros into the unused low bytes. Each line then joins neighbours: the product has, in the upper half
        // of each pair, the lower one times the factor, plus the upper one.
        var value = bytes &<< UInt64(truncatingIfNeeded: 64 &- 8 &* count)
        value = (value &* (10 << 8 | 1)) >> 8 & 0x00ff_00ff_00ff_00ff
        value = (value &* (100 << 16 | 1)) >> 16 & 0x0000_ffff_0000_ffff
        value = (value &* (10_000 << 32 | 1)) >> 32
        return Int64(truncatingIfNeeded: value)
    }
}

extension Span<UInt8> {
    /// The eight bytes from `position` on, the first one lowest.
    ///
    /// Unchecked, because this is the innermost loop: the caller keeps `position` + 8 within the span.
    @inline(__always)
    fileprivate func word(at position: Int) -> UInt64 {
        unsafe UInt64(
            littleEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: position, as: UInt64.self))
    }
}
