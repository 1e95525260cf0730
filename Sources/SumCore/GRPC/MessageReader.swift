internal import NIOCore

/// Takes messages off a byte stream that was cut anywhere: each is one byte that says whether it is compressed,
/// a length of four bytes, big-endian, and as many bytes (grpc/doc/PROTOCOL-HTTP2.md, "Length-Prefixed-Message").
struct MessageReader {
    static let prefixLength = 5

    /// Bytes of the longest message accepted, on the wire and decompressed.
    let maximumLength: Int
    /// How the messages that say so are compressed.
    let compression: GRPCCompression
    private var inflater: Inflater?
    /// The beginning of a message whose end has not arrived.
    private var pending = ByteBuffer()
    /// Bytes of the pending message with its prefix; of the prefix alone until that is whole.
    private var needed = Self.prefixLength

    init(maximumLength: Int, compression: GRPCCompression = .identity) {
        self.maximumLength = maximumLength
        self.compression = compression
    }

    /// Whether the bytes so far end with a whole message.
    var isAtBoundary: Bool { pending.readableBytes == 0 }

    /// Takes the next message's bytes, without its prefix and decompressed, off `chunk`.
    ///
    /// - Returns: nil when `chunk` has been used up and the message's end is still to come.
    /// - Throws: the status that ends the call, RESOURCE_EXHAUSTED as soon as a prefix promises too much.
    mutating func next(from chunk: inout ByteBuffer) throws(GRPCStatus) -> ByteBuffer? {
        while true {
            let missing = needed - pending.readableBytes
            if var bytes = chunk.readSlice(length: min(missing, chunk.readableBytes)) {
                pending.writeBuffer(&bytes)
            }
            guard pending.readableBytes == needed else { return nil }
            needed = Self.prefixLength + (try promisedLength())
            guard pending.readableBytes == needed else { continue }
            var message = pending
            let flag = message.readInteger(as: UInt8.self)
            message.moveReaderIndex(forwardBy: Self.prefixLength - 1)
            pending = ByteBuffer()
            needed = Self.prefixLength
            return flag == 0 ? message : try decompress(message)
        }
    }

    /// Judges the pending prefix.
    private func promisedLength() throws(GRPCStatus) -> Int {
        let flag = pending.getInteger(at: pending.readerIndex, as: UInt8.self) ?? 0
        let length = pending.getInteger(at: pending.readerIndex + 1, as: UInt32.self) ?? 0
        guard flag <= 1 else {
            throw GRPCStatus(code: .internalError, message: "a message begins with \(flag), neither 0 nor 1")
        }
        guard flag == 0 || compression != .identity else {
            throw GRPCStatus(
                code: .internalError,
                message: "a message is flagged as compressed, but the call names no compression")
        }
        guard length <= maximumLength else {
            throw GRPCStatus(
                code: .resourceExhausted,
                message: "a message of \(length) bytes is larger than the limit of \(maximumLength)")
        }
        return Int(length)
    }

    private mutating func decompress(_ message: ByteBuffer) throws(GRPCStatus) -> ByteBuffer {
        inflater = inflater ?? Inflater(compression)
        guard let inflater else {
            throw GRPCStatus(code: .resourceExhausted, message: "there is no memory for decompressing")
        }
        return try inflater.decompress(message, limit: maximumLength)
    }

    /// Judges the end of the stream.
    ///
    /// - Throws: INTERNAL when it cut a message short.
    func finish() throws(GRPCStatus) {
        guard isAtBoundary else {
            throw GRPCStatus(
                code: .internalError,
                message: "the stream ended within a message, after \(pending.readableBytes) bytes of it")
        }
    }
}
