/// What stands in front of each message: one byte that says whether it is compressed, and a length of four bytes,
/// big-endian (grpc/doc/PROTOCOL-HTTP2.md, "Length-Prefixed-Message").
struct MessagePrefix {
    /// Bytes of the prefix.
    static let length = 5

    var isCompressed: Bool
    /// Bytes of the message that follows.
    var messageLength: Int

    /// Judges a prefix.
    ///
    /// - Throws: the status that ends the call: INTERNAL for a flag that is neither 0 nor 1, or that claims a
    ///   compression the call does not have; RESOURCE_EXHAUSTED for a message longer than `limit` bytes.
    init(flag: UInt8, messageLength: UInt32, compression: GRPCCompression, limit: Int) throws(GRPCStatus) {
        guard flag <= 1 else {
            throw GRPCStatus(code: .internalError, message: "a message begins with \(flag), neither 0 nor 1")
        }
        guard flag == 0 || compression != .identity else {
            throw GRPCStatus(
                code: .internalError,
                message: "a message is flagged as compressed, but the call names no compression")
        }
        guard messageLength <= limit else {
            throw GRPCStatus(
                code: .resourceExhausted,
                message: "a message of \(messageLength) bytes is larger than the limit of \(limit)")
        }
        isCompressed = flag == 1
        self.messageLength = Int(messageLength)
    }
}
