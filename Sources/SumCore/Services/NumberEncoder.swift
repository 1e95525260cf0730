internal import NIOCore

/// The client's loop over numbers: writes each as a framed `NumberRequest` message.
///
/// The encoding is the one swift-protobuf gives: `00 | length (4 bytes) | 08 varint`, and for 0, which proto3
/// leaves out, the prefix alone. Whatever its length, a number takes the same steps, without a branch: its bits are
/// spread over bytes, put upon what `MessageFrame` has for their count, and written by two 8-byte stores. Two numbers
/// are spread at once, in the two halves of a vector.
enum NumberEncoder {
    /// Bytes of the longest encoded number: prefix, tag, and the ten bytes of a negative number's varint.
    static let maxLength = 16

    /// Appends the numbers from `numbers` on, for as long as the longest one would fit.
    ///
    /// - Returns: how many were appended.
    static func append(_ numbers: Span<Int32>, to frame: inout OutputRawSpan) -> Int {
        var count = 0
        unsafe frame.withUnsafeMutableBytes { bytes, initialized in
            guard let base = bytes.baseAddress else { return }
            // Sound because each message writes 16 bytes, and goes only where as many are left.
            var position = initialized
            let last = bytes.count &- maxLength
            while count &+ 1 < numbers.count, position &+ maxLength <= last {
                let two = unsafe Messages(numbers[unchecked: count], numbers[unchecked: count &+ 1])
                unsafe position &+= two.storeFirst(to: base + position)
                unsafe position &+= two.storeSecond(to: base + position)
                count &+= 2
            }
            while count < numbers.count, position <= last {
                unsafe position &+= Messages(numbers[count], 0).storeFirst(to: base + position)
                count &+= 1
            }
            initialized = position
        }
        return count
    }
}

extension ByteBuffer {
    /// Appends a framed `NumberRequest`, or `NumberResponse`, whose encoding is the same.
    mutating func writeNumber(_ number: Int32) {
        let one: InlineArray<1, Int32> = [number]
        writeWithOutputRawSpan(minimumWritableBytes: NumberEncoder.maxLength) { frame in
            _ = NumberEncoder.append(one.span, to: &frame)
        }
    }
}

/// Two messages, in words whose first byte is the lowest.
private struct Messages {
    /// Bytes 0 to 7 of each.
    private let heads: SIMD2<UInt64>
    /// Bytes 8 to 15.
    private let tails: SIMD2<UInt64>
    /// How many of these count.
    private let byteCounts: (Int, Int)

    @inline(__always)
    init(_ first: Int32, _ second: Int32) {
        let (one, two) = (MessageFrame.of(first), MessageFrame.of(second))
        let groups = Self.groups(
            SIMD2(UInt64(UInt32(bitPattern: first)), UInt64(UInt32(bitPattern: second))))
        heads = groups &<< 48 | SIMD2(one.head, two.head)
        tails = groups &>> 16 | SIMD2(one.tail, two.tail)
        byteCounts = (one.byteCount, two.byteCount)
    }

    /// The 32 bits of each value as five groups of seven, one a byte.
    ///
    /// The upper part moves away from the lower by 2 bits at 14 and at 28, and by 1 bit within each 14: adding the
    /// part 3 times, or once, shifts it by 2, or 1.
    @inline(__always)
    private static func groups(_ values: SIMD2<UInt64>) -> SIMD2<UInt64> {
        var groups = values
        let upper = groups & 0xffff_c000
        groups = groups &+ upper &+ upper &+ upper
        let uppermost = groups & 0x3_c000_0000
        groups = groups &+ uppermost &+ uppermost &+ uppermost
        return groups &+ (groups & 0x3f80_3f80)
    }

    /// Writes 16 bytes.
    ///
    /// - Returns: how many of them are the message with its prefix; so does `storeSecond`.
    @inline(__always)
    func storeFirst(to target: UnsafeMutableRawPointer) -> Int {
        unsafe target.storeBytes(of: heads[0].littleEndian, as: UInt64.self)
        unsafe (target + 8).storeBytes(of: tails[0].littleEndian, as: UInt64.self)
        return byteCounts.0
    }

    @inline(__always)
    func storeSecond(to target: UnsafeMutableRawPointer) -> Int {
        unsafe target.storeBytes(of: heads[1].littleEndian, as: UInt64.self)
        unsafe (target + 8).storeBytes(of: tails[1].littleEndian, as: UInt64.self)
        return byteCounts.1
    }
}

/// What a message has beside its number.
///
/// Words are little-endian: the first byte of the message is the lowest.
private struct MessageFrame {
    /// Bytes 0 to 7: flag, length, tag, and the high bits of the varint's first two bytes.
    var head: UInt64 = 0
    /// Bytes 8 to 15: the high bits of the rest, and the bits 32 to 63 of a negative number.
    var tail: UInt64 = 0
    var byteCount = 5

    @inline(__always)
    static func of(_ number: Int32) -> MessageFrame {
        // Sound because an Int32 has at most 32 leading zeros, and each row is one of `all`.
        let row = unsafe rows[unchecked: number.leadingZeroBitCount]
        return unsafe all[unchecked: Int(row)]
    }

    /// By bytes of the varint, of which a 0 has none; the last is a negative number's, which has ten.
    private static let all: InlineArray<7, MessageFrame> = [
        MessageFrame(),
        MessageFrame(head: 0x0000_0802_0000_0000, byteCount: 7),
        MessageFrame(head: 0x0080_0803_0000_0000, byteCount: 8),
        MessageFrame(head: 0x8080_0804_0000_0000, byteCount: 9),
        MessageFrame(head: 0x8080_0805_0000_0000, tail: 0x80, byteCount: 10),
        MessageFrame(head: 0x8080_0806_0000_0000, tail: 0x8080, byteCount: 11),
        MessageFrame(head: 0x8080_080b_0000_0000, tail: 0x01ff_ffff_fff8_8080, byteCount: 16),
    ]

    /// Which of them a number takes, by the count of its leading zeros; a negative number has none.
    private static let rows: InlineArray<33, UInt8> = [
        6, 5, 5, 5, 4, 4, 4, 4, 4, 4, 4, 3, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 0,
    ]
}
