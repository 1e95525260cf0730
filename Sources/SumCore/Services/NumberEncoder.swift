internal import NIOCore

/// The client's loop over numbers: writes each as a length-prefixed `NumberRequest` message.
///
/// The encoding equals that of swift-protobuf: `00 | length (4 bytes) | 08 varint`, and for 0, which proto3 omits, the
/// prefix alone. All numbers take the same steps, without a branch: the bits of the number are spread over bytes,
/// combined with the `MessageFrame` for their count, and written by two 8-byte stores. Two numbers are spread at once,
/// in the two halves of a vector.
enum NumberEncoder {
    /// Bytes of the longest encoding: prefix, tag, and the ten-byte varint of a negative number.
    static let maxLength = 16

    /// A number as a message of at most 16 bytes, in two words. The first byte is the lowest of `head`.
    static func words(of number: Int32) -> (head: UInt64, tail: UInt64, byteCount: Int) {
        Messages(number, 0).first
    }

    /// Appends numbers from the beginning of `numbers`, as long as there is room for the longest encoding.
    ///
    /// - Returns: how many numbers were appended.
    static func append(_ numbers: Span<Int32>, to frame: inout OutputRawSpan) -> Int {
        var count = 0
        unsafe frame.withUnsafeMutableBytes { bytes, initialized in
            guard let base = bytes.baseAddress else { return }
            // Sound because storing a message writes 16 bytes, and is done only where 16 bytes are left.
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
    /// Appends a length-prefixed `NumberRequest`, or `NumberResponse`, whose encoding is the same.
    mutating func writeNumber(_ number: Int32) {
        let one: InlineArray<1, Int32> = [number]
        writeWithOutputRawSpan(minimumWritableBytes: NumberEncoder.maxLength) { frame in
            _ = NumberEncoder.append(one.span, to: &frame)
        }
    }
}

/// Two messages as words; the first byte is the lowest.
private struct Messages {
    /// Bytes 0 to 7 of each.
    private let heads: SIMD2<UInt64>
    /// Bytes 8 to 15.
    private let tails: SIMD2<UInt64>
    /// How many of these 16 bytes belong to each message.
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

    /// The 32 bits of each value as five groups of seven bits, one per byte.
    ///
    /// The upper part is moved up by 2 bits at bit 14 and at bit 28, then by 1 bit within each 14. Adding a part 3
    /// times shifts it by 2, adding it once shifts it by 1.
    @inline(__always)
    private static func groups(_ values: SIMD2<UInt64>) -> SIMD2<UInt64> {
        var groups = values
        let upper = groups & 0xffff_c000
        groups = groups &+ upper &+ upper &+ upper
        let uppermost = groups & 0x3_c000_0000
        groups = groups &+ uppermost &+ uppermost &+ uppermost
        return groups &+ (groups & 0x3f80_3f80)
    }

    var first: (head: UInt64, tail: UInt64, byteCount: Int) { (heads[0], tails[0], byteCounts.0) }

    /// Writes 16 bytes that begin with the first message.
    ///
    /// - Returns: the bytes of the message, with its prefix. So does `storeSecond` for the second one.
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

/// The bits of a message apart from its number.
///
/// Words are little-endian: the first byte of the message is the lowest.
private struct MessageFrame {
    /// Bytes 0 to 7: flag, length, tag, and the high bits of the varint's first two bytes.
    var head: UInt64 = 0
    /// Bytes 8 to 15: the high bits of the rest, and bits 32 to 63 of a negative number.
    var tail: UInt64 = 0
    var byteCount = 5

    @inline(__always)
    static func of(_ number: Int32) -> MessageFrame {
        // Sound because an Int32 has at most 32 leading zeros, and each row is one of `all`.
        let row = unsafe rows[unchecked: number.leadingZeroBitCount]
        return unsafe all[unchecked: Int(row)]
    }

    /// The frames by bytes of the varint, from 0 (for the number 0) to 5; the last is for the ten bytes of a negative
    /// number.
    private static let all: InlineArray<7, MessageFrame> = [
        MessageFrame(),
        MessageFrame(head: 0x0000_0802_0000_0000, byteCount: 7),
        MessageFrame(head: 0x0080_0803_0000_0000, byteCount: 8),
        MessageFrame(head: 0x8080_0804_0000_0000, byteCount: 9),
        MessageFrame(head: 0x8080_0805_0000_0000, tail: 0x80, byteCount: 10),
        MessageFrame(head: 0x8080_0806_0000_0000, tail: 0x8080, byteCount: 11),
        MessageFrame(head: 0x8080_080b_0000_0000, tail: 0x01ff_ffff_fff8_8080, byteCount: 16),
    ]

    /// The index into `all` by the number of leading zero bits; a negative number has none.
    private static let rows: InlineArray<33, UInt8> = [
        6, 5, 5, 5, 4, 4, 4, 4, 4, 4, 4, 3, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 0,
    ]
}
