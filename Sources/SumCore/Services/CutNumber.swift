/// The beginning of a number's message whose rest has not arrived.
///
/// A read ends within a message more often than not. So the decoder takes such a message too, instead of leaving it to
/// swift-protobuf, which is far slower.
struct CutNumber {
    /// Bytes 0 to 7, the first of which is the lowest, and zeros.
    let head: UInt64
    /// Bytes 8 to 15, likewise.
    let tail: UInt64
    /// Bytes of the message that have arrived, with its prefix.
    let count: Int

    /// - Returns: nil if `bytes` are no beginning of a message, or of one that cannot have the usual encoding
    ///   (`NumberDecoder`), or if the whole message is there.
    init?(_ bytes: RawSpan) {
        guard 1..<(MessagePrefix.length + NumberDecoder.longestMessage) ~= bytes.byteCount else { return nil }
        // The flag, and the upper three bytes of the length.
        for index in 0..<min(bytes.byteCount, MessagePrefix.length - 1) {
            guard bytes.byte(at: index) == 0 else { return nil }
        }
        if bytes.byteCount >= MessagePrefix.length {
            let length = Int(bytes.byte(at: MessagePrefix.length - 1))
            let isCut = bytes.byteCount < MessagePrefix.length + length
            guard isCut, length <= NumberDecoder.longestMessage else { return nil }
        }
        var all: UInt128 = 0
        for index in 0..<bytes.byteCount { all |= UInt128(bytes.byte(at: index)) << (8 * index) }
        (head, tail) = (UInt64(truncatingIfNeeded: all), UInt64(truncatingIfNeeded: all >> 64))
        count = bytes.byteCount
    }

    /// The 16 bytes that begin with these and go on with `bytes`. Missing ones are 0xff, which completes no message.
    func followed(by bytes: RawSpan) -> InlineArray<2, UInt64> {
        var all = UInt128(tail) << 64 | UInt128(head) | ~0 << (8 * count)
        for index in 0..<min(bytes.byteCount, 16 - count) {
            all ^= UInt128(bytes.byte(at: index) ^ 0xff) << (8 * (count + index))
        }
        return [
            UInt64(truncatingIfNeeded: all).littleEndian, UInt64(truncatingIfNeeded: all >> 64).littleEndian,
        ]
    }
}
