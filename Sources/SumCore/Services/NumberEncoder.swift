internal import NIOCore

/// The client's loop over numbers: writes each as a length-prefixed `NumberRequest` message.
///
/// The encoding equals that of swift-protobuf: `00 | length (4 bytes) | 08 varint`, and for 0, which proto3 omits, the
/// prefix alone. All numbers take the same steps, without a branch: the bits of the number are spread over bytes, the
/// `MessageFrame` for their count is added, and one 16-byte store writes the message. The next message overwrites what
/// is too much. Four numbers are spread at once, in the quarters of a vector.
enum NumberEncoder {
    /// Bytes of the longest encoding: prefix, tag, and the ten-byte varint of a negative number.
    static let maxLength = 16

    /// A number as a message of at most 16 bytes, in two words. The first byte is the lowest of `head`.
    static func words(of number: Int32) -> (head: UInt64, tail: UInt64, byteCount: Int) {
        let (words, byteCount) = Messages(number, 0, 0, 0)[0]
        return (words[0], words[1], byteCount)
    }

    /// Appends numbers from the beginning of `numbers`, as long as there is room for the longest encoding.
    ///
    /// - Returns: how many numbers were appended.
    static func append(_ numbers: Span<Int32>, to frame: inout OutputRawSpan) -> Int {
        var count = 0
        unsafe frame.withUnsafeMutableBytes { bytes, initialized in
            guard let base = bytes.baseAddress else { return }
            (count, initialized) = unsafe write(numbers, to: base, from: initialized, limit: bytes.count)
        }
        return count
    }

    /// Writes numbers to `base`, between the offsets `start` and `limit`.
    ///
    /// - Returns: how many numbers were written, and the offset behind them. In registers: a loop in the closure above would
    ///   store both in each round, and takes twice as long on a Zen 4.
    @inline(__always)
    private static func write(
        _ numbers: Span<Int32>, to base: UnsafeMutableRawPointer, from start: Int, limit: Int
    ) -> (count: Int, position: Int) {
        var (count, position) = (0, start)
        // Sound because storing a message writes 16 bytes and moves on by at most 16, so that `fours` times four of them fit
        // wherever they begin, and because as many numbers are left.
        while true {
            let fours = min((numbers.count - count) / 4, (limit - position) / (4 * maxLength))
            guard fours > 0 else { break }
            for _ in 0..<fours {
                let messages = unsafe Messages(
                    numbers[unchecked: count], numbers[unchecked: count &+ 1],
                    numbers[unchecked: count &+ 2], numbers[unchecked: count &+ 3])
                unsafe position &+= messages.store(0, to: base + position)
                unsafe position &+= messages.store(1, to: base + position)
                unsafe position &+= messages.store(2, to: base + position)
                unsafe position &+= messages.store(3, to: base + position)
                count &+= 4
            }
        }
        while count < numbers.count, limit - position >= maxLength {
            unsafe position &+= Messages(numbers[count], 0, 0, 0).store(0, to: base + position)
            count += 1
        }
        return (count, position)
    }
}

extension ByteBuffer {
    /// Appends a length-prefixed `NumberRequest`, or `NumberResponse`, whose encoding is the same.
    mutating func writeNumber(_ number: Int32) {
        let one: InlineArray<1, Int32> = [number]
        writeWithOutputRawSpan(minimumWritableBytes: NumberEncoder.maxLength) { frame in
            _ = NumberEncoder.append(one.span, to: &frame)
        }
    }
}

/// Four messages.
///
/// Only operations that Swift's library defines for a whole vector stay in vectors: `&+` and `&*`, but not `|` or `&<<`.
/// The others are turned back into vectors by the compiler where it likes, which is why bits are combined by addition,
/// and shifts to the left are multiplications.
private struct Messages {
    /// Bytes 0 to 7 of the messages, as far as they depend on bits of the numbers.
    private let heads: (SIMD2<UInt64>, SIMD2<UInt64>)
    /// Bytes 8 to 15.
    private let tails: (SIMD2<UInt64>, SIMD2<UInt64>)
    /// The numbers' counts of bits, from 0 to 32.
    private let bitCounts: (SIMD2<UInt64>, SIMD2<UInt64>)

    @inline(__always)
    init(_ first: Int32, _ second: Int32, _ third: Int32, _ fourth: Int32) {
        let numbers = SIMD4(
            UInt32(bitPattern: first), UInt32(bitPattern: second), UInt32(bitPattern: third),
            UInt32(bitPattern: fourth))
        // Groups of seven bits, one per byte: adding the upper groups once more moves them up by one bit.
        let low = numbers & 0x3fff
        let head = low &+ (low & 0x3f80)
        let high = numbers &>> 14
        let middle = high &+ (high & 0x3_ff80)
        let tail = middle &+ (middle & 0x7_8000)
        heads = (Self.pair(head[0], head[1]) &* (1 << 48), Self.pair(head[2], head[3]) &* (1 << 48))
        tails = (Self.pair(tail[0], tail[1]), Self.pair(tail[2], tail[3]))
        bitCounts = (
            Self.bitCounts(Self.pair(numbers[0], numbers[1])),
            Self.bitCounts(Self.pair(numbers[2], numbers[3]))
        )
    }

    @inline(__always)
    private static func pair(_ first: UInt32, _ second: UInt32) -> SIMD2<UInt64> {
        SIMD2(UInt64(first), UInt64(second))
    }

    /// The count of bits of each value, from the exponent of a `Double`. Many processors take several cycles to count
    /// the leading zeros of an integer, at least by the instruction that all of them have (BSR on x86-64).
    @inline(__always)
    private static func bitCounts(_ values: SIMD2<UInt64>) -> SIMD2<UInt64> {
        // As the lowest bits of 2^52, a value of 32 bits is 2^52 + value. Subtracting 2^52 - 1/2 is exact, and leaves
        // value + 1/2, which has the exponent -1 for 0, and else one less than the count of bits.
        let biased =
            unsafe unsafeBitCast(values &+ 0x4330_0000_0000_0000, to: SIMD2<Double>.self) - (0x1p52 - 0.5)
        return unsafe unsafeBitCast(biased, to: SIMD2<UInt64>.self) &>> 52 &- 1022
    }

    /// A message in two words, the first byte lowest, and how many of their bytes belong to it.
    @inline(__always)
    subscript(index: Int) -> (words: SIMD2<UInt64>, byteCount: Int) {
        let head = index < 2 ? heads.0[index] : heads.1[index - 2]
        let tail = index < 2 ? tails.0[index] : tails.1[index - 2]
        let bitCount = index < 2 ? bitCounts.0[index] : bitCounts.1[index - 2]
        // Sound because 32 bits are counted from 0 to 32.
        let frame = unsafe MessageFrame.all[unchecked: Int(truncatingIfNeeded: bitCount)]
        return (SIMD2(head, tail) &+ SIMD2(frame.head, frame.tail), frame.byteCount)
    }

    /// Writes 16 bytes that begin with a message.
    ///
    /// - Returns: the bytes of the message, with its prefix.
    @inline(__always)
    func store(_ index: Int, to target: UnsafeMutableRawPointer) -> Int {
        let (words, byteCount) = self[index]
        unsafe target.storeBytes(
            of: SIMD2(words[0].littleEndian, words[1].littleEndian), as: SIMD2<UInt64>.self)
        return byteCount
    }
}

/// The bits of a message apart from its number.
///
/// Words are little-endian: the first byte of the message is the lowest.
private struct MessageFrame {
    /// Bytes 0 to 7: flag, length, tag, and the high bits of the varint's first two bytes.
    var head: UInt64 = 0
    /// Bytes 8 to 15: the high bits of the rest, and bits 32 to 63 of a negative number.
    var tail: UInt64 = 0
    var byteCount = 5
    /// Makes the size a power of two, so that a frame is found by a shift.
    private var padding = 0

    /// The frames by the number's count of bits: none for 0, seven for each byte of the varint, and 32 for a negative
    /// number, whose varint has ten bytes.
    static let all: InlineArray<33, MessageFrame> = [
        empty,
        one, one, one, one, one, one, one,
        two, two, two, two, two, two, two,
        three, three, three, three, three, three, three,
        four, four, four, four, four, four, four,
        five, five, five,
        ten,
    ]

    private static let empty = MessageFrame()
    private static let one = MessageFrame(head: 0x0000_0802_0000_0000, byteCount: 7)
    private static let two = MessageFrame(head: 0x0080_0803_0000_0000, byteCount: 8)
    private static let three = MessageFrame(head: 0x8080_0804_0000_0000, byteCount: 9)
    private static let four = MessageFrame(head: 0x8080_0805_0000_0000, tail: 0x80, byteCount: 10)
    private static let five = MessageFrame(head: 0x8080_0806_0000_0000, tail: 0x8080, byteCount: 11)
    /// The fifth byte has four bits of the number, the highest of which is set.
    private static let ten = MessageFrame(
        head: 0x8080_080b_0000_0000, tail: 0x01ff_ffff_fff0_8080, byteCount: 16)
}
