internal import NIOCore

/// The queue of messages that have arrived and have not been taken.
///
/// They are kept as they arrived, compressed and with their prefixes, so that they need no more memory than was sent.
struct MessageInbox {
    /// Bytes of the largest message accepted, compressed and decompressed.
    let limit: Int
    /// The compression used by messages whose compressed flag is set.
    let compression: GRPCCompression

    private var bytes = ByteBuffer()
    /// Bytes of the complete messages at the beginning of `bytes`.
    private var wholeLength = 0
    /// The number of complete messages.
    private(set) var count = 0
    /// Bytes of the incomplete message after them, with its prefix, once the prefix is complete.
    private var nextLength: Int?

    /// Bytes of memory that an empty inbox keeps.
    private static let keptCapacity = 4 << 10
    /// Bytes read before the unread ones are moved to the front of the buffer.
    private static let spentLimit = 16 << 10

    init(limit: Int, compression: GRPCCompression = .identity) {
        self.limit = limit
        self.compression = compression
    }

    /// Bytes in the queue.
    var byteCount: Int { bytes.readableBytes }

    /// Appends bytes, which may be cut anywhere, and checks the prefixes in them.
    ///
    /// - Throws: the status that ends the call, as soon as a prefix is invalid (`MessagePrefix`).
    mutating func append(_ new: ByteBuffer) throws(GRPCStatus) {
        if bytes.readerIndex > max(Self.spentLimit, bytes.readableBytes) { bytes.discardReadBytes() }
        // Copied, because a slice of a few bytes would retain the whole buffer of a read.
        bytes.writeImmutableBuffer(new)
        while true {
            let rest = bytes.readableBytes - wholeLength
            if nextLength == nil {
                guard rest >= MessagePrefix.length else { return }
                nextLength = MessagePrefix.length + (try prefix(at: wholeLength).messageLength)
            }
            guard let length = nextLength, rest >= length else { return }
            wholeLength += length
            count += 1
            nextLength = nil
        }
    }

    private func prefix(at offset: Int) throws(GRPCStatus) -> MessagePrefix {
        let index = bytes.readerIndex + offset
        return try MessagePrefix(
            flag: bytes.getInteger(at: index) ?? 0, messageLength: bytes.getInteger(at: index + 1) ?? 0,
            compression: compression, limit: limit)
    }

    /// The most bytes that the next message can decompress to; 0 if it is not compressed, or not complete.
    var largestDecompressedSize: Int {
        guard count > 0, let prefix = try? prefix(at: 0), prefix.isCompressed else { return 0 }
        return min(Zlib.largestSize(ofCompressed: prefix.messageLength), limit)
    }

    /// Takes the next message; nil if none is complete.
    mutating func next() -> ReceivedMessage? {
        guard count > 0, let prefix = try? prefix(at: 0) else { return nil }
        bytes.moveReaderIndex(forwardBy: MessagePrefix.length)
        let message = ByteBuffer(bytes: bytes.readableBytesView.prefix(prefix.messageLength))
        bytes.moveReaderIndex(forwardBy: prefix.messageLength)
        wholeLength -= MessagePrefix.length + prefix.messageLength
        count -= 1
        if bytes.readableBytes == 0 { clear() }
        return ReceivedMessage(isCompressed: prefix.isCompressed, bytes: message)
    }

    /// Drops all bytes.
    mutating func removeAll() {
        clear()
        (wholeLength, count, nextLength) = (0, 0, nil)
    }

    private mutating func clear() {
        if bytes.capacity > Self.keptCapacity { bytes = ByteBuffer() } else { bytes.clear() }
    }

    /// Checks that the stream may end here.
    ///
    /// - Throws: INTERNAL if the last message is incomplete.
    func finish() throws(GRPCStatus) {
        guard bytes.readableBytes == wholeLength else {
            throw .cutMessage(after: bytes.readableBytes - wholeLength)
        }
    }
}
