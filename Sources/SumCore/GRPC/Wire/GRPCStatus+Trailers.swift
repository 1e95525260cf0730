// The encoding of a status on the wire (grpc/doc/PROTOCOL-HTTP2.md, "Responses").

extension GRPCStatus {
    /// The trailers of `ok`. They fit every limit.
    static let okTrailers = [HTTP2Field("grpc-status", "0")]
    /// Bytes to which a message is shortened at the least. Below that it is not worth sending.
    private static let shortestCut = 16

    /// The status as trailers.
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

    /// The status and metadata as trailers of at most `limit` bytes.
    ///
    /// A client resets a call whose trailers are longer than it accepts, and the status is lost. So the message is
    /// shortened; if that is not enough, the details are left out; and if that is not enough either, the status becomes
    /// RESOURCE_EXHAUSTED, without metadata.
    func trailers(adding metadata: GRPCMetadata, limit: Int) -> [HTTP2Field] {
        let whole = trailers.adding(metadata)
        // A status without message and metadata always fits.
        guard whole.count > 1, limit != .max, whole.listSize > limit else { return whole }
        let room = limit - cut(to: 0).trailers.adding(metadata).listSize
        if room >= Self.shortestCut { return cut(to: room).trailers.adding(metadata) }
        if !details.isEmpty {
            return GRPCStatus(code: code, message: message).trailers(adding: metadata, limit: limit)
        }
        let refusal = GRPCStatus(
            code: .resourceExhausted,
            message:
                "the trailers have \(whole.listSize) bytes with the status \(code), but the client accepts \(limit)"
        )
        return refusal.cut(to: limit - refusal.cut(to: 0).trailers.listSize).trailers
    }

    /// The status with its message shortened to at most `length` bytes, encoded.
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
