internal import NIOCore

/// A message as it was received, without its prefix and not yet decompressed.
struct ReceivedMessage {
    var isCompressed: Bool
    var bytes: ByteBuffer

    /// Bytes of the message on the wire, with its prefix.
    var wireLength: Int { MessagePrefix.length + bytes.readableBytes }

    /// The most bytes that the message can have when it is decompressed.
    func largestSize(limit: Int) -> Int {
        isCompressed ? min(Zlib.largestSize(ofCompressed: bytes.readableBytes), limit) : bytes.readableBytes
    }

    /// The message, decompressed if necessary. A compressed message without bytes is the empty message, as in gRPC
    /// C-core.
    ///
    /// - Throws: the errors of `Zlib.decompress`.
    func decompressed(_ compression: GRPCCompression, limit: Int) throws(GRPCStatus) -> ByteBuffer {
        guard isCompressed, bytes.readableBytes > 0 else { return bytes }
        return try Zlib.decompress(bytes, with: compression, limit: limit)
    }
}
