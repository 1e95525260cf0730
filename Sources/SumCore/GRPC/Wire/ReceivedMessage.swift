internal import NIOCore

/// A whole message as it came: without its prefix, and still compressed if it is.
struct ReceivedMessage {
    var isCompressed: Bool
    var bytes: ByteBuffer

    /// Bytes that the message took on the wire, with its prefix.
    var wireLength: Int { MessagePrefix.length + bytes.readableBytes }

    /// The most bytes that it can decompress to.
    func largestSize(limit: Int) -> Int {
        isCompressed ? min(Zlib.largestSize(ofCompressed: bytes.readableBytes), limit) : bytes.readableBytes
    }

    /// The message decompressed. A compressed message without bytes is the empty one, as in gRPC's C core.
    ///
    /// - Throws: as `Zlib.decompress` does.
    func decompressed(_ compression: GRPCCompression, limit: Int) throws(GRPCStatus) -> ByteBuffer {
        guard isCompressed, bytes.readableBytes > 0 else { return bytes }
        return try Zlib.decompress(bytes, with: compression, limit: limit)
    }
}
