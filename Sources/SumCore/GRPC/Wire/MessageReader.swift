internal import NIOCore

/// Takes messages off a byte stream that was cut anywhere.
struct MessageReader {
    /// Bytes of the longest message accepted, on the wire and decompressed.
    let maxLength: Int
    /// How the messages that say so are compressed.
    let compression: GRPCCompression
    /// The beginning of a message whose end has not arrived.
    private var pending = ByteBuffer()
    /// The prefix of the pending message, once it is whole.
    private var prefix: MessagePrefix?

    init(maxLength: Int, compression: GRPCCompression = .identity) {
        self.maxLength = maxLength
        self.compression = compression
    }

    /// Whether the bytes so far end with a whole message.
    var isAtBoundary: Bool { pending.readableBytes == 0 && prefix == nil }

    /// Takes the next message off `chunk`, and decompresses it.
    ///
    /// - Returns: nil when `chunk` has been used up and the message's end is still to come.
    /// - Throws: the status that ends the call.
    mutating func next(from chunk: inout ByteBuffer) throws(GRPCStatus) -> ByteBuffer? {
        try nextReceived(from: &chunk)?.decompressed(compression, limit: maxLength)
    }

    /// The same, as it came.
    ///
    /// - Throws: the status that ends the call, RESOURCE_EXHAUSTED as soon as a prefix promises too much.
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

    /// Takes `count` bytes, the pending ones first; without a copy if all of them are in `chunk`.
    ///
    /// - Returns: nil when there are not so many yet; then those there are have become pending.
    private mutating func take(_ count: Int, from chunk: inout ByteBuffer) -> ByteBuffer? {
        if pending.readableBytes == 0, let whole = chunk.readSlice(length: count) { return whole }
        let missing = count - pending.readableBytes
        if var bytes = chunk.readSlice(length: min(missing, chunk.readableBytes)) {
            pending.writeBuffer(&bytes)
        }
        guard pending.readableBytes == count else { return nil }
        defer { pending = ByteBuffer() }
        return pending
    }

    /// Judges the end of the stream.
    ///
    /// - Throws: INTERNAL when it cut a message short.
    func finish() throws(GRPCStatus) {
        guard isAtBoundary else {
            let count = pending.readableBytes + (prefix == nil ? 0 : MessagePrefix.length)
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
