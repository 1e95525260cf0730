/// A header block of a response, and what its fields mean to a client.
///
/// The blocks of a connection are mostly alike, so the meaning of the last is kept (`ClientConnection`).
final class ResponseBlock {
    let fields: [HTTP2Field]
    /// `:status`; empty in trailers.
    let httpStatus: String
    let contentType: String
    /// The compression of messages; nil for one that was not offered.
    let compression: GRPCCompression?
    let encoding: String
    let metadata: GRPCMetadata
    /// The status of the call; nil if the block has none.
    let status: GRPCStatus?
    /// `grpc-retry-pushback-ms`.
    let pushback: String?

    init(_ fields: [HTTP2Field]) {
        self.fields = fields
        httpStatus = fields.first(":status") ?? ""
        contentType = fields.first("content-type") ?? ""
        encoding = fields.first("grpc-encoding") ?? GRPCCompression.identity.rawValue
        compression = GRPCCompression(rawValue: encoding)
        metadata = GRPCMetadata(received: fields)
        status = GRPCStatus(trailers: fields)
        pushback = fields.first("grpc-retry-pushback-ms")
    }
}
