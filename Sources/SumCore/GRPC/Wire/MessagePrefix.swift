/// The five bytes before each message: the compressed flag (1 byte) and the length (4 bytes, big-endian)
/// (grpc/doc/PROTOCOL-HTTP2.md, "Length-Prefixed-Message").
struct MessagePrefix {
    /// Bytes of the prefix.
    static let length = 5

    var isCompressed: Bool
    /// Bytes of the message that follows.
    var messageLength: Int

    /// Checks a prefix.
    ///
    /// - Throws: the status that ends the call: INTERNAL for a flag other than 0 and 1, or for a compressed message in
    ///   a call without compression; RESOURCE_EXHAUSTED for a message of more than `limit` bytes.
    init(flag: UInt8, messageLength: UInt32, compression: GRPCCompression, limit: Int) throws(GRPCStatus) {
        guard flag <= 1 else {
            throw GRPCStatus(
                code: .internalError, message: "the compressed flag of a message is \(flag), not 0 or 1")
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
