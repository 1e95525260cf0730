internal import NIOCore

/// The bytes of messages that have come and that nobody has taken yet.
///
/// They wait as they came, compressed and with their prefixes, so that what waits is no more than what was sent.
struct MessageInbox {
    /// Bytes of the longest message accepted, on the wire and decompressed.
    let limit: Int
    /// How the messages that say so are compressed.
    let compression: GRPCCompression

    private var bytes = ByteBuffer()
    /// Bytes of the whole messages at the beginning of `bytes`.
    private var wholeLength = 0
    /// How many these are.
    private(set) var count = 0
    /// Bytes of the message after them, with its prefix, once that is whole.
    private var nextLength: Int?

    /// Memory that an empty inbox keeps.
    private static let keptCapacity = 4 << 10
    /// Bytes that have been read before those that have not move to the front.
    private static let spentLimit = 16 << 10

    init(limit: Int, compression: GRPCCompression = .identity) {
        self.limit = limit
        self.compression = compression
    }

    /// Bytes that wait.
    var byteCount: Int { bytes.readableBytes }

    /// Adds bytes, cut at any place, and judges the prefixes in them.
    ///
    /// - Throws: the status that ends the call, as soon as a prefix gives a reason.
    mutating func append(_ new: ByteBuffer) throws(GRPCStatus) {
        if bytes.readerIndex > max(Self.spentLimit, bytes.readableBytes) { bytes.discardReadBytes() }
        // Copied: a slice would keep the whole buffer of a read for a few bytes.
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

    /// The most bytes that the next message can decompress to; 0 when it is not compressed.
    var largestDecompressedSize: Int {
        guard count > 0, let prefix = try? prefix(at: 0), prefix.isCompressed else { return 0 }
        return min(Zlib.largestSize(ofCompressed: prefix.messageLength), limit)
    }

    /// Takes the next message, or nil when none is whole.
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

    /// Drops everything.
    mutating func removeAll() {
        clear()
        (wholeLength, count, nextLength) = (0, 0, nil)
    }

    private mutating func clear() {
        if bytes.capacity > Self.keptCapacity { bytes = ByteBuffer() } else { bytes.clear() }
    }

    /// Judges the end of the stream.
    ///
    /// - Throws: INTERNAL when it cut a message short.
    func finish() throws(GRPCStatus) {
        guard bytes.readableBytes == wholeLength else {
            throw .cutMessage(after: bytes.readableBytes - wholeLength)
        }
    }
}
