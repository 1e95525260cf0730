// How a status looks on the wire (grpc/doc/PROTOCOL-HTTP2.md, "Responses").

extension GRPCStatus {
    private static let okTrailers = [HTTP2Field("grpc-status", "0")]
    /// Bytes of a message that are worth sending when the whole does not fit.
    private static let shortestCut = 16

    /// The status as trailers carry it.
    var trailers: [HTTP2Field] {
        var fields = code == .ok ? Self.okTrailers : [HTTP2Field("grpc-status", "\(code.rawValue)")]
        if !message.isEmpty {
            fields.append(HTTP2Field("grpc-message", PercentEncoding.encode(message)))
        }
        if !details.isEmpty {
            fields.append(HTTP2Field("grpc-status-details-bin", Base64.encode(details)))
        }
        return fields
    }

    /// The status and metadata, in a list of at most `limit` bytes: a client resets a call whose trailers are longer
    /// than it takes, and its status is lost. So the message is cut; if that is not enough, the status becomes
    /// RESOURCE_EXHAUSTED, without details and metadata.
    func trailers(adding metadata: GRPCMetadata, limit: Int) -> [HTTP2Field] {
        let whole = trailers.adding(metadata)
        // Only what a handler or a peer wrote can be long.
        guard whole.count > 1, limit != .max, whole.listSize > limit else { return whole }
        let room = limit - cut(to: 0).trailers.adding(metadata).listSize
        if room >= Self.shortestCut { return cut(to: room).trailers.adding(metadata) }
        let refusal = GRPCStatus(
            code: .resourceExhausted,
            message:
                "the trailers have \(whole.listSize) bytes with the status \(code), and the client takes \(limit)"
        )
        return refusal.cut(to: limit - refusal.cut(to: 0).trailers.listSize).trailers
    }

    /// The status with a message that takes at most `length` bytes when it is encoded.
    private func cut(to length: Int) -> GRPCStatus {
        let mark = "..."
        var (cut, left) = ("", length - mark.utf8.count)
        for scalar in message.unicodeScalars {
            left -= PercentEncoding.length(of: scalar)
            guard left >= 0 else { break }
            cut.unicodeScalars.append(scalar)
        }
        return GRPCStatus(code: code, message: cut + mark, details: details)
    }
}
