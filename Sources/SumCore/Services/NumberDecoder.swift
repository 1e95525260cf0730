/// The server's loop over numbers: adds the length-prefixed `NumberRequest` messages in a span of bytes.
///
/// The usual encoding of a number is `00 | length (4 bytes) | 08 varint`, 7 to 16 bytes, or the five bytes of an empty
/// message for 0. The loop takes these, and stops before anything else (another field, a varint of unusual length, a
/// flag, a cut), which is left to swift-protobuf. Two ideas make it fast:
///
/// - No branch depends on the data. A row of `MessageShape.all` describes a message of a given length, so messages of
///   any lengths, in any order, take the same steps. A sum of varints is the sum of their bytes, each multiplied by a
///   power of 128, so the bytes are added by place, and single numbers are never assembled.
/// - Where a message begins is known only after the one before it has been read, and the processor would mostly wait
///   for that. So four cursors take turns. The last three start about a quarter, half and three quarters through a block,
///   at something that looks like the beginning of a message. If the cursor before arrives exactly there, it was one;
///   otherwise the result of the cursor that started there is discarded.
struct NumberDecoder {
    /// The sum of the numbers so far. 128 bits cannot overflow: they hold the sum of as many numbers as `count` can
    /// count. For one block, 64 bits are enough.
    private(set) var sum: Int128 {
        get { Int128(high) << 64 | Int128(low) }
        set { (high, low) = (Int64(newValue >> 64), UInt64(truncatingIfNeeded: newValue)) }
    }
    /// The halves of `sum`, since objects with an Int128 are expensive to allocate (see `IPAddress`).
    private var (high, low): (Int64, UInt64) = (0, 0)
    /// The count of numbers so far. 2^63 of them, at five bytes or more, would take a hundred years at 100 Gbit/s.
    private(set) var count: Int64 = 0

    /// Bytes of the longest message that the loop takes, without prefix. With a lower limit, the loop must not be used.
    static let longestMessage = 11
    /// Bytes that a step reads: the longest message with its prefix.
    private static let lookahead = 16
    /// Bytes that the cursors share.
    private static let blockSize = 6 << 10
    /// Bytes below which they are not shared.
    private static let smallestBlock = 64
    /// Bytes for one cursor: few enough that `Cursor.places` cannot overflow.
    private static let cursorLimit = blockSize / 2

    /// Adds one number that was decoded elsewhere.
    mutating func add(_ number: Int32) {
        sum &+= Int128(number)
        count &+= 1
    }

    /// Adds the sum of several numbers that were decoded elsewhere.
    mutating func add(sum: Int128, count: Int64) {
        self.sum &+= sum
        self.count &+= count
    }

    /// Adds the numbers at the beginning of `bytes`, as long as they have the usual encoding.
    ///
    /// - Returns: how many bytes were consumed. The rest begins with the prefix of a message.
    mutating func add(_ bytes: RawSpan) -> Int {
        var position = 0
        let end = bytes.byteCount - Self.lookahead + 1
        while position < end {
            guard addBlock(bytes, &position, to: min(position + Self.blockSize, end)) else { return position }
        }
        addLast(bytes, &position)
        return position
    }

    /// Adds the number whose message is `cut` and the beginning of `bytes`.
    ///
    /// - Returns: how many of `bytes` were consumed; nil if the message is not complete, or does not have the usual
    ///   encoding.
    mutating func add(_ cut: CutNumber, followedBy bytes: RawSpan) -> Int? {
        let message = cut.followed(by: bytes)
        var cursor = Cursor(position: 0)
        // Sound because UInt64 has no padding, and there are 16 bytes.
        guard unsafe cursor.step(message.span.bytes) else { return nil }
        take(cursor)
        return cursor.position - cut.count
    }

    /// Adds the messages that begin before `end`. A step at any position before `end` may read `lookahead` bytes.
    ///
    /// - Returns: whether all of them had the usual encoding.
    private mutating func addBlock(_ bytes: RawSpan, _ position: inout Int, to end: Int) -> Bool {
        let middle = Self.likelyMiddle(of: bytes, from: position, to: end)
        var first = Cursor(position: position)
        guard middle < end else {
            return finish(&first, bytes, &position, to: min(end, position + Self.cursorLimit))
        }
        let quarter = Self.likelyMiddle(of: bytes, from: position, to: middle)
        let threeQuarters = Self.likelyMiddle(of: bytes, from: middle, to: end)
        var second = Cursor(position: quarter)
        var third = Cursor(position: middle)
        var fourth = Cursor(position: threeQuarters)
        while first.position < quarter, second.position < middle, third.position < threeQuarters,
            fourth.position < end, first.step(bytes), second.step(bytes), third.step(bytes),
            fourth.step(bytes)
        {}
        return finish(&first, bytes, &position, to: quarter) && finish(&second, bytes, &position, to: middle)
            && finish(&third, bytes, &position, to: threeQuarters)
            && finish(&fourth, bytes, &position, to: end)
    }

    /// Adds what a cursor has passed, and what is left for it before `end`, if it has started at `position`.
    ///
    /// - Returns: whether all of that had the usual encoding.
    private mutating func finish(
        _ cursor: inout Cursor, _ bytes: RawSpan, _ position: inout Int, to end: Int
    ) -> Bool {
        guard cursor.start == position else { return true }
        while cursor.position < end, cursor.step(bytes) {}
        take(cursor)
        position = cursor.position
        return position >= end
    }

    /// Adds the messages that are too close to the end of `bytes` for a step. Works on a copy, followed by bytes that
    /// cannot complete a message.
    private mutating func addLast(_ bytes: RawSpan, _ position: inout Int) {
        let start = max(0, bytes.byteCount - Self.lookahead)
        let last = bytes.extracting(droppingFirst: start)
        let copy: InlineArray<4, UInt64> =
            last.byteCount == Self.lookahead
            ? [last.word(at: 0).littleEndian, last.word(at: 8).littleEndian, .max, .max] : Self.copy(last)
        var cursor = Cursor(position: position - start)
        // Sound because UInt64 has no padding, and 16 bytes follow each of the positions.
        while cursor.position < last.byteCount, unsafe cursor.step(copy.span.bytes) {}
        take(cursor)
        position = start + cursor.position
    }

    /// Copies fewer bytes than two words have. Those that follow cannot complete a message.
    private static func copy(_ bytes: RawSpan) -> InlineArray<4, UInt64> {
        var copy = InlineArray<4, UInt64>(repeating: .max)
        for index in 0..<bytes.byteCount {
            let (word, shift) = (index / 8, UInt64(index % 8 * 8))
            copy[word] ^= UInt64(bytes.byte(at: index) ^ 0xff) << shift
        }
        return InlineArray { copy[$0].littleEndian }
    }

    private mutating func take(_ cursor: Cursor) {
        add(sum: Int128(cursor.sum), count: Int64(cursor.count))
    }

    /// - Returns: a position near the middle that looks like the beginning of a message, or `end` if there is none.
    private static func likelyMiddle(of bytes: RawSpan, from start: Int, to end: Int) -> Int {
        guard end - start >= smallestBlock else { return end }
        let middle = (start + end) / 2
        for position in (middle - lookahead)..<middle
        where bytes.word(at: position) & 0xfff0_ffff_ffff == 0x0800_0000_0000 {
            return position
        }
        return end
    }
}

/// A position in the messages, and the sum of those it has passed.
private struct Cursor {
    let start: Int
    private(set) var position: Int
    private(set) var count = 0
    /// The bytes of the varints, without their high bits, added by place. The sixth place counts negative numbers.
    ///
    /// A message adds at most 127 to a place, so 516 messages fit: at least 3,612 bytes, as only non-empty ones add.
    private var places = SIMD8<UInt16>()

    init(position: Int) { (start, self.position) = (position, position) }

    /// Takes the message at `position`; 16 bytes from there on must be in `bytes`.
    ///
    /// - Returns: false, without taking anything, if it does not have the usual encoding.
    @inline(__always)
    mutating func step(_ bytes: RawSpan) -> Bool {
        let head = bytes.word(at: position)
        let tail = bytes.word(at: position &+ 8)
        let length = Int(truncatingIfNeeded: head >> 32) & 15
        let shape = MessageShape.all[length]
        // The parentheses are needed: `^` and `|` have the same precedence in Swift.
        guard ((head & shape.headMask) ^ shape.head) | ((tail & shape.tailMask) ^ shape.tail) == 0 else {
            return false
        }
        let payload = (bytes.word(at: position &+ 6) & shape.payload).littleEndian
        places &+= SIMD8(truncatingIfNeeded: unsafe unsafeBitCast(payload, to: SIMD8<UInt8>.self))
        count &+= 1
        position &+= MessagePrefix.length &+ length
        return true
    }

    /// The sum of the numbers. A negative number is sign-extended to 64 bits (protobuf's encoding guide, "Signed
    /// Integers"). Its first five bytes are its low 35 bits, so the number is 2^35 less than those.
    var sum: Int64 {
        var sum = -Int64(places[5]) << 35
        for place in 0..<5 { sum += Int64(places[place]) << (7 * Int64(place)) }
        return sum
    }
}

/// The usual encoding of messages of one length: which bits are fixed, their values, and which bits form the number.
///
/// Words are little-endian: the first byte of the message is the lowest.
private struct MessageShape {
    /// Bytes 0 to 7: flag, length, tag, and the first two bytes of the varint. The default values match no message.
    var headMask: UInt64 = 0
    var head: UInt64 = 1
    /// Bytes 8 to 15: the rest of the varint.
    var tailMask: UInt64 = 0
    var tail: UInt64 = 0
    /// The bits that form the number, in the eight bytes from the beginning of the varint.
    var payload: UInt64 = 0

    /// The encodings by length in bytes, without prefix. In a varint, all bytes but the last have the high bit set. The
    /// fifth byte has the number's bits 28 to 34, of which 31 to 34 are all 0, or all 1 in a negative number.
    static let all: InlineArray<16, MessageShape> = [
        MessageShape(headMask: 0xff_ffff_ffff, head: 0),
        MessageShape(),
        MessageShape(headMask: 0x0080_ffff_ffff_ffff, head: 0x0000_0802_0000_0000, payload: 0x7f),
        MessageShape(headMask: 0x8080_ffff_ffff_ffff, head: 0x0080_0803_0000_0000, payload: 0x7f7f),
        MessageShape(
            headMask: 0x8080_ffff_ffff_ffff, head: 0x8080_0804_0000_0000, tailMask: 0x80, tail: 0,
            payload: 0x7f_7f7f),
        MessageShape(
            headMask: 0x8080_ffff_ffff_ffff, head: 0x8080_0805_0000_0000, tailMask: 0x8080, tail: 0x80,
            payload: 0x7f7f_7f7f),
        MessageShape(
            headMask: 0x8080_ffff_ffff_ffff, head: 0x8080_0806_0000_0000, tailMask: 0xf8_8080, tail: 0x8080,
            payload: 0x7f_7f7f_7f7f),
        MessageShape(), MessageShape(), MessageShape(), MessageShape(),
        MessageShape(
            headMask: 0x8080_ffff_ffff_ffff, head: 0x8080_080b_0000_0000, tailMask: 0xffff_ffff_fff8_8080,
            tail: 0x01ff_ffff_fff8_8080, payload: 0x017f_7f7f_7f7f),
        MessageShape(), MessageShape(), MessageShape(), MessageShape(),
    ]
}

extension RawSpan {
    /// The eight bytes from `position` on, the first one lowest.
    ///
    /// Unchecked, because this is the innermost loop: the caller keeps `position` + 8 within the span.
    @inline(__always)
    fileprivate func word(at position: Int) -> UInt64 {
        unsafe UInt64(littleEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: position, as: UInt64.self))
    }
}
