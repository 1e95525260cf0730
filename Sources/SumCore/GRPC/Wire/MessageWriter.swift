internal import NIOCore

/// Writes messages with their five-byte prefix (grpc/doc/PROTOCOL-HTTP2.md, "Length-Prefixed-Message"), compressed if
/// the call is.
struct MessageWriter: Sendable {
    let compression: GRPCCompression

    init(compression: GRPCCompression = .identity) {
        self.compression = compression
    }

    /// Appends a message. An empty message is not compressed, as in grpc-go.
    ///
    /// - Throws: RESOURCE_EXHAUSTED for a message of 4 GiB or more, or if there is not enough memory to compress it.
    func write(_ message: [UInt8], compressed: Bool = true, to buffer: inout ByteBuffer) throws(GRPCStatus) {
        guard message.count <= UInt32.max else {
            throw GRPCStatus(
                code: .resourceExhausted, message: "a message of \(message.count) bytes is too long")
        }
        guard compressed, compression != .identity, !message.isEmpty else {
            return buffer.writeMessage(message)
        }
        let start = buffer.writerIndex
        buffer.writeInteger(UInt8(1))
        buffer.writeInteger(UInt32(0))
        try Zlib.compress(message, with: compression, to: &buffer)
        let length = buffer.writerIndex - start - MessagePrefix.length
        buffer.setInteger(UInt32(clamping: length), at: start + 1)
    }
}

extension ByteBuffer {
    /// Appends a message with its prefix, uncompressed.
    mutating func writeMessage(_ message: some Collection<UInt8>) {
        writeInteger(UInt8(0))
        writeInteger(UInt32(clamping: message.count))
        writeBytes(message)
    }
}
