/// The server's loop over numbers: adds up the framed `NumberRequest` messages in a span of bytes.
///
/// A number in its usual encoding is `00 | length (4 bytes) | 08 varint`, 7 to 16 bytes, or the five bytes of an
/// empty message for 0. The loop takes these, and stops before anything else (another field, a varint of unusual
/// length, a flag, a cut), which is for swift-protobuf to judge. Two ideas make it fast:
///
/// - No branch depends on the data. What a message of a given length looks like is a row of `MessageShape.all`,
///   so that messages of any lengths, in any order, take the same steps. And since a sum of varints is the sum of
///   their bytes, each times a power of 128, the bytes are added up by place and never put together.
/// - Where a message begins is known only once the one before it has been read; a processor waits for that most
///   of the time. So two cursors take turns, one of them from about the middle on, where something looks like the
///   beginning of a message. It was one if the first cursor arrives there, and else what the second found does
///   not count.
struct NumberDecoder {
    /// The sum of the numbers so far. 64 bits hold the sum of a block, and of any 2^32 numbers; 128 hold that of as many
    /// as `count` can count.
    private(set) var sum: Int128 = 0
    /// How many numbers there were. 2^63 of them, of five bytes at the least, would take a hundred years at 100 Gbit/s.
    private(set) var count: Int64 = 0

    /// Bytes of the longest message that the loop takes, without its prefix; a lower limit is not for it.
    static let longestMessage = 11
    /// Bytes that a step reads: the longest message with its prefix.
    private static let lookahead = 16
    /// Bytes that two cursors share; few enough for the places of `Cursor.places`.
    private static let blockSize = 3 << 10
    /// Less than this is not worth a second cursor.
    private static let smallestBlock = 64

    /// Adds one number that was decoded elsewhere.
    mutating func add(_ number: Int32) {
        sum &+= Int128(number)
        count &+= 1
    }

    /// Adds many numbers that were added up elsewhere.
    mutating func add(sum: Int128, count: Int64) {
        self.sum &+= sum
        self.count &+= count
    }

    /// Adds the numbers from the beginning of `bytes` for as long as they are encoded as usual.
    ///
    /// - Returns: how many bytes have been used up; the rest begins with a message.
    mutating func add(_ bytes: RawSpan) -> Int {
        var position = 0
        let end = bytes.byteCount - Self.lookahead + 1
        while position < end {
            guard addBlock(bytes, &position, to: min(position + Self.blockSize, end)) else { return position }
        }
        addLast(bytes, &position)
        return position
    }

    /// Adds the messages that begin before `end`, after which there are the bytes that a step reads.
    ///
    /// - Returns: whether all of them were as usual.
    private mutating func addBlock(_ bytes: RawSpan, _ position: inout Int, to end: Int) -> Bool {
        let middle = Self.likelyMiddle(of: bytes, from: position, to: end)
        var first = Cursor(position: position)
        var second = Cursor(position: middle)
        while first.position < middle, second.position < end, first.step(bytes), second.step(bytes) {}
        while first.position < middle, first.step(bytes) {}
        take(first)
        position = first.position
        guard position == middle else { return position > middle }
        while second.position < end, second.step(bytes) {}
        take(second)
        position = second.position
        return position >= end
    }

    /// Adds the messages at the end of `bytes`, too near to it for a step, from a copy with bytes after it that end
    /// no message.
    private mutating func addLast(_ bytes: RawSpan, _ position: inout Int) {
        let count = bytes.byteCount - position
        var copy = InlineArray<32, UInt8>(repeating: 0xff)
        for index in 0..<count { copy[index] = bytes.byte(at: position + index) }
        var cursor = Cursor(position: 0)
        // Sound because a UInt8 has no padding, and the step's 16 bytes are there from each of 15 positions on.
        while cursor.position < count, unsafe cursor.step(copy.span.bytes) {}
        take(cursor)
        position += cursor.position
    }

    private mutating func take(_ cursor: Cursor) {
        add(sum: Int128(cursor.sum), count: Int64(cursor.count))
    }

    /// - Returns: where something looks like the beginning of a message, or `end`.
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

/// One way through the messages, and what they came to.
private struct Cursor {
    var position: Int
    private(set) var count = 0
    /// The varints' bytes, without their high bits, added up by place. The sixth place counts negative numbers.
    ///
    /// A message adds at most 127 to a place, so 516 of them fit: 3,612 bytes, of messages that are not empty.
    private var places = SIMD8<UInt16>()

    init(position: Int) { self.position = position }

    /// Takes the message at `position`, of which 16 bytes must be in `bytes`.
    ///
    /// - Returns: false, and takes nothing, if it is not of a usual shape.
    @inline(__always)
    mutating func step(_ bytes: RawSpan) -> Bool {
        let head = bytes.word(at: position)
        let tail = bytes.word(at: position &+ 8)
        let length = Int(truncatingIfNeeded: head >> 32) & 15
        let shape = MessageShape.all[length]
        // `^` and `|` have one precedence in Swift.
        guard ((head & shape.headMask) ^ shape.head) | ((tail & shape.tailMask) ^ shape.tail) == 0 else {
            return false
        }
        let payload = (bytes.word(at: position &+ 6) & shape.payload).littleEndian
        places &+= SIMD8(truncatingIfNeeded: unsafe unsafeBitCast(payload, to: SIMD8<UInt8>.self))
        count &+= 1
        position &+= MessagePrefix.length &+ length
        return true
    }

    /// A negative number is extended to 64 bits (protobuf's encoding guide, "Signed Integers"). Its first five
    /// bytes give its low 35 bits, so that it is 2^35 less than these.
    var sum: Int64 {
        var sum = -Int64(places[5]) << 35
        for place in 0..<5 { sum += Int64(places[place]) << (7 * Int64(place)) }
        return sum
    }
}

/// What a message is, given its length: which of its bits are fixed, and to what, and which make the number.
///
/// Words are little-endian: the first byte of the message is the lowest.
private struct MessageShape {
    /// Bytes 0 to 7: flag, length, tag, and the varint's first two bytes. Without values, no message matches.
    var headMask: UInt64 = 0
    var head: UInt64 = 1
    /// Bytes 8 to 15: the rest of the varint.
    var tailMask: UInt64 = 0
    var tail: UInt64 = 0
    /// The bits that count, of the eight bytes from the varint's beginning on.
    var payload: UInt64 = 0

    /// By length in bytes, without the prefix. A varint's last byte has no high bit, the bytes before it do. Of five
    /// bytes, the last has the number's bits 28 to 30; in a negative number it has four bits set beside these.
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
    /// The eight bytes from `position` on, the first of them lowest.
    ///
    /// The caller keeps `position` + 8 within the span: this is the innermost loop.
    @inline(__always)
    fileprivate func word(at position: Int) -> UInt64 {
        unsafe UInt64(littleEndian: unsafeLoadUnaligned(fromUncheckedByteOffset: position, as: UInt64.self))
    }
}
