/// The client's loop over numbers: writes each as a framed `NumberRequest` message.
///
/// The encoding is the one swift-protobuf gives: `00 | length (4 bytes) | 08 varint`, and for 0, which proto3
/// leaves out, the prefix alone. Each number is written by two 8-byte stores, whatever its length.
enum NumberEncoder {
    /// Bytes of the longest encoded number: prefix, tag, and the ten bytes of a negative number's varint.
    static let maximumLength = 16

    /// Appends the numbers from `numbers` on, for as long as the longest one would fit.
    ///
    /// - Returns: how many were appended.
    static func append(_ numbers: Span<Int32>, to frame: inout OutputRawSpan) -> Int {
        var count = 0
        unsafe frame.withUnsafeMutableBytes { bytes, initialized in
            // Sound because each turn writes at most 16 bytes, and goes only where 16 are left.
            while count < numbers.count, bytes.count - initialized >= maximumLength {
                unsafe initialized += write(numbers[count], to: bytes, at: initialized)
                count += 1
            }
        }
        return count
    }

    /// - Returns: the length of the message with its prefix; up to 16 bytes are written.
    @inline(__always)
    private static func write(_ number: Int32, to bytes: UnsafeMutableRawBufferPointer, at position: Int)
        -> Int
    {
        let value = UInt64(UInt32(bitPattern: number))
        guard number > 0 else {
            if number == 0 {
                unsafe store(0, 0, to: bytes, at: position)
                return 5
            }
            // The bits above 32 are all ones: 4 in the fifth byte, then four bytes, and one bit in the tenth.
            let low = groups(value) | 0x70_0000_0000 | 0x80_8080_8080
            unsafe store(
                prefix(length: 11) | low << 48, low >> 16 | 0x01ff_ffff_ff00_0000, to: bytes, at: position)
            return 16
        }
        // Seven bits go into a byte: 1 to 5 of them.
        let varintLength = (70 - value.leadingZeroBitCount) / 7
        let continuations = 0x80_8080_8080 & ((1 as UInt64) << (8 * (varintLength - 1)) - 1)
        let varint = groups(value) | continuations
        unsafe store(prefix(length: varintLength + 1) | varint << 48, varint >> 16, to: bytes, at: position)
        return 6 + varintLength
    }

    /// Flag, length and tag as the first six bytes of a word in memory.
    @inline(__always)
    private static func prefix(length: Int) -> UInt64 {
        0x0800_0000_0000 | UInt64(truncatingIfNeeded: length) << 32
    }

    /// The 32 bits of `value` as five groups of seven, one a byte.
    @inline(__always)
    private static func groups(_ value: UInt64) -> UInt64 {
        value & 0x7f | (value & 0x3f80) << 1 | (value & 0x1f_c000) << 2 | (value & 0xfe0_0000) << 3
            | (value & 0xf000_0000) << 4
    }

    @inline(__always)
    private static func store(
        _ first: UInt64, _ second: UInt64, to bytes: UnsafeMutableRawBufferPointer, at position: Int
    ) {
        unsafe bytes.storeBytes(of: first.littleEndian, toByteOffset: position, as: UInt64.self)
        unsafe bytes.storeBytes(of: second.littleEndian, toByteOffset: position + 8, as: UInt64.self)
    }
}
