/// A header block of a response, and what its fields mean to a client.
///
/// The blocks of a connection are mostly alike, so the meaning of the last is kept (`ClientConnection`).
final class ResponseBlock {
    let fields: [HTTP2Field]
    /// `:status`; empty in trailers.
    let httpStatus: String
    /// Whether `:status` is 1xx.
    let isInformational: Bool
    /// Whether `:status` is 200.
    let isSuccess: Bool
    let contentType: String
    /// Whether messages of gRPC follow.
    let isGRPC: Bool
    /// The compression of messages; nil for one that was not offered.
    let compression: GRPCCompression?
    let encoding: String
    let metadata: GRPCMetadata
    /// How the call ends; nil if the block does not tell.
    let end: Shared<ClientCallEnd.Values>?

    init(_ fields: [HTTP2Field]) {
        self.fields = fields
        httpStatus = fields.first(":status") ?? ""
        isInformational = httpStatus.utf8.first == UInt8(ascii: "1")
        isSuccess = httpStatus == "200"
        contentType = fields.first("content-type") ?? ""
        isGRPC = isSuccess && GRPCContentType.isGRPC(contentType)
        encoding = fields.first("grpc-encoding") ?? GRPCCompression.identity.rawValue
        compression = GRPCCompression(rawValue: encoding)
        let metadata = GRPCMetadata(received: fields)
        self.metadata = metadata
        end = GRPCStatus(trailers: fields).map { status in
            Shared(
                ClientCallEnd.Values(
                    status: status, trailers: metadata, pushback: fields.first("grpc-retry-pushback-ms")))
        }
    }
}
