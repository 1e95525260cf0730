/// The server's loop over numbers: adds up the framed `NumberRequest` messages in a span of bytes.
///
/// A number in its usual encoding is `00 | length (4 bytes) | 08 varint`, 7 to 16 bytes, or the five bytes of an
/// empty message for 0. The loop recognises these by one 8-byte load and one comparison, and stops before
/// anything else (another field, a varint of unusual length, a flag, a cut), which is for swift-protobuf to judge.
struct NumberDecoder {
    /// The sum of the numbers so far. Cannot wrap in less than 2^32 numbers, and wraps silently then.
    private(set) var sum: Int64 = 0
    /// How many numbers there were.
    private(set) var count: Int64 = 0

    /// Adds one number that was decoded elsewhere.
    mutating func add(_ number: Int32) {
        sum &+= Int64(number)
        count &+= 1
    }

    /// The bytes of prefix and tag in one word, as loaded from memory: flag 0, a length under 256, tag 08.
    private static let frameMask: UInt64 = 0x0000_ff00_ffff_ffff
    private static let frame: UInt64 = 0x0000_0800_0000_0000
    /// Bytes of the longest message that the loop takes, without its prefix; a lower limit is not for it.
    static let longestMessage = 11
    /// Bytes that the loop may read from the beginning of a message: the longest one has 16.
    private static let lookahead = 16

    /// Adds the numbers from the beginning of `bytes` for as long as they are encoded as usual.
    ///
    /// - Returns: how many bytes have been used up; the rest begins with a message.
    mutating func add(_ bytes: RawSpan) -> Int {
        var position = 0
        var sum = sum
        var count = count
        let last = bytes.byteCount - Self.lookahead
        while position <= last {
            // Sound because `position` + 16 is within the span.
            let word = unsafe UInt64(
                littleEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: position, as: UInt64.self))
            let length = Int(truncatingIfNeeded: word >> 32) & 0xff
            guard word & Self.frameMask == Self.frame else {
                guard word & 0xff_ffff_ffff == 0 else { break }
                position += MessageReader.prefixLength
                count &+= 1
                continue
            }
            let varint = unsafe UInt64(
                littleEndian: bytes.unsafeLoadUnaligned(
                    fromUncheckedByteOffset: position + 6, as: UInt64.self))
            guard let number = Self.number(varint, length: length) else {
                guard length == 11, let number = Self.negative(bytes, at: position + 6, varint) else { break }
                sum &+= Int64(number)
                count &+= 1
                position += 16
                continue
            }
            sum &+= number
            count &+= 1
            position += MessageReader.prefixLength + length
        }
        self.sum = sum
        self.count = count
        return position
    }

    /// The number in a message of 2 to 6 bytes, whose varint has 1 to 5.
    @inline(__always)
    private static func number(_ varint: UInt64, length: Int) -> Int64? {
        switch length {
        case 2:
            guard varint & 0x80 == 0 else { return nil }
            return Int64(truncatingIfNeeded: varint & 0x7f)
        case 3:
            guard varint & 0x8080 == 0x80 else { return nil }
            return Int64(truncatingIfNeeded: varint & 0x7f | (varint & 0x7f00) >> 1)
        case 4:
            guard varint & 0x80_8080 == 0x8080 else { return nil }
            return Int64(
                truncatingIfNeeded: varint & 0x7f | (varint & 0x7f00) >> 1 | (varint & 0x7f_0000) >> 2)
        case 5:
            guard varint & 0x8080_8080 == 0x80_8080 else { return nil }
            return Int64(truncatingIfNeeded: low28(varint))
        case 6:
            guard varint & 0x80_8080_8080 == 0x8080_8080 else { return nil }
            return Int64(Int32(truncatingIfNeeded: low28(varint) | (varint & 0x7f_0000_0000) >> 4))
        default:
            return nil
        }
    }

    /// A negative number's varint has ten bytes: it is extended to 64 bits, of which the low 32 count
    /// (protobuf's encoding guide, "Signed Integers").
    @inline(__always)
    private static func negative(_ bytes: RawSpan, at position: Int, _ varint: UInt64) -> Int32? {
        let end = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: position + 8, as: UInt16.self)
        guard varint & 0x8080_8080_8080_8080 == 0x8080_8080_8080_8080,
            UInt16(littleEndian: end) & 0xfe80 == 0x80
        else { return nil }
        return Int32(truncatingIfNeeded: low28(varint) | (varint & 0x7f_0000_0000) >> 4)
    }

    @inline(__always)
    private static func low28(_ varint: UInt64) -> UInt64 {
        varint & 0x7f | (varint & 0x7f00) >> 1 | (varint & 0x7f_0000) >> 2 | (varint & 0x7f00_0000) >> 3
    }
}
