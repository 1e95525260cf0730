internal import NIOCore

/// Reads messages from a byte stream that arrives in pieces cut anywhere.
struct MessageReader {
    /// Bytes of the largest message accepted, compressed and decompressed.
    let maxLength: Int
    /// The compression used by messages whose compressed flag is set.
    let compression: GRPCCompression
    /// The beginning of an incomplete message, or of its prefix; nil if there is none, since even an empty buffer counts
    /// references.
    private var pending: ByteBuffer?
    /// The prefix of the incomplete message, once it is complete.
    private var prefix: MessagePrefix?

    init(maxLength: Int, compression: GRPCCompression = .identity) {
        self.maxLength = maxLength
        self.compression = compression
    }

    /// Whether the bytes so far end with a complete message.
    var isAtBoundary: Bool { pending == nil && prefix == nil }

    /// Reads the next message from `chunk`, and decompresses it.
    ///
    /// - Returns: nil if `chunk` is used up before the end of the message.
    /// - Throws: the status that ends the call.
    mutating func next(from chunk: inout ByteBuffer) throws(GRPCStatus) -> ByteBuffer? {
        try nextReceived(from: &chunk)?.decompressed(compression, limit: maxLength)
    }

    /// Reads the next message from `chunk`, without decompressing it.
    ///
    /// - Returns: nil if `chunk` is used up before the end of the message.
    /// - Throws: the status that ends the call, as soon as a prefix is invalid (`MessagePrefix`).
    mutating func nextReceived(from chunk: inout ByteBuffer) throws(GRPCStatus) -> ReceivedMessage? {
        if prefix == nil {
            guard var bytes = take(MessagePrefix.length, from: &chunk) else { return nil }
            let flag = bytes.readInteger(as: UInt8.self) ?? 0
            let length = bytes.readInteger(as: UInt32.self) ?? 0
            prefix = try MessagePrefix(
                flag: flag, messageLength: length, compression: compression, limit: maxLength)
        }
        guard let prefix, let message = take(prefix.messageLength, from: &chunk) else { return nil }
        self.prefix = nil
        return ReceivedMessage(isCompressed: prefix.isCompressed, bytes: message)
    }

    /// Takes `count` bytes, the pending ones first. Does not copy if all of them are in `chunk`.
    ///
    /// - Returns: nil if there are too few; all bytes of `chunk` are then pending.
    private mutating func take(_ count: Int, from chunk: inout ByteBuffer) -> ByteBuffer? {
        var begun = ByteBuffer()
        if let pending {
            begun = pending
            // Referenced once only, so that it grows in place.
            self.pending = nil
        } else if let whole = chunk.readSlice(length: count) {
            return whole
        }
        let missing = count - begun.readableBytes
        if var bytes = chunk.readSlice(length: min(missing, chunk.readableBytes)) {
            begun.writeBuffer(&bytes)
        }
        if begun.readableBytes == count { return begun }
        if begun.readableBytes > 0 { pending = begun }
        return nil
    }

    /// Checks that the stream may end here.
    ///
    /// - Throws: INTERNAL if the last message is incomplete.
    func finish() throws(GRPCStatus) {
        guard isAtBoundary else {
            let count = (pending?.readableBytes ?? 0) + (prefix == nil ? 0 : MessagePrefix.length)
            throw .cutMessage(after: count)
        }
    }
}

extension GRPCStatus {
    static func cutMessage(after count: Int) -> GRPCStatus {
        GRPCStatus(
            code: .internalError, message: "the stream ended within a message, after \(count) bytes of it")
    }
}
