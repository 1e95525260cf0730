internal import NIOCore

/// A message with its prefix, short enough to be kept as two words instead of in memory of its own.
struct ShortMessage: Sendable {
    /// Bytes of the longest such message, with its prefix.
    static let capacity = 16

    /// Bytes 0 to 7, the first of which is the lowest.
    let head: UInt64
    /// Bytes 8 to 15.
    let tail: UInt64
    /// Bytes of the message, with its prefix.
    let byteCount: Int
}

extension ByteBuffer {
    init(_ message: ShortMessage) {
        self.init()
        reserveCapacity(ShortMessage.capacity)
        writeInteger(message.head, endianness: .little)
        writeInteger(message.tail, endianness: .little)
        moveWriterIndex(to: message.byteCount)
    }
}

extension OutputRawSpan {
    /// Appends a message.
    ///
    /// Sound because both words fit, which is checked, and only the bytes of the message are reported as initialized.
    mutating func append(_ message: ShortMessage) {
        precondition(freeCapacity >= ShortMessage.capacity)
        unsafe withUnsafeMutableBytes { target, initialized in
            unsafe target.storeBytes(
                of: message.head.littleEndian, toByteOffset: initialized, as: UInt64.self)
            unsafe target.storeBytes(
                of: message.tail.littleEndian, toByteOffset: initialized + 8, as: UInt64.self)
            initialized += message.byteCount
        }
    }
}
