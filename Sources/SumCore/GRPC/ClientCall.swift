internal import NIOCore

/// One call as the client sees it: what the server's answer means.
///
///     awaitingHeaders ──▶ receivingMessages ──▶ ended
///            └──────────▶ receivingForeignBody ───▲
///
/// A response that ends in its headers, a failure and a cancellation lead to `ended` from everywhere.
struct ClientCall {
    private enum State {
        case awaitingHeaders
        case receivingMessages
        /// What answers is not a gRPC server; the beginning of its text is collected, for the message.
        case receivingForeignBody(GRPCStatus, text: [UInt8])
        case ended
    }

    private var state = State.awaitingHeaders
    /// Bytes quoted of a foreign answer.
    private static let quoteLength = 256

    var hasEnded: Bool {
        if case .ended = state { true } else { false }
    }

    /// A header block has come.
    ///
    /// - Returns: how the call ended, or nil when it goes on.
    mutating func receiveHeaders(_ fields: [HTTP2Field], endStream: Bool) -> GRPCStatus? {
        switch state {
        case .awaitingHeaders:
            return receiveResponse(fields, endStream: endStream)
        case .receivingMessages:
            guard endStream else {
                return end(
                    .init(
                        code: .internalError, message: "the server sent headers in the middle of its answer"))
            }
            return end(
                GRPCStatus(trailers: fields)
                    ?? .init(code: .unknown, message: "the server ended the call without a grpc-status"))
        case .receivingForeignBody(let status, let text):
            return end(GRPCStatus(trailers: fields) ?? status.quoting(text))
        case .ended:
            return nil
        }
    }

    private mutating func receiveResponse(_ fields: [HTTP2Field], endStream: Bool) -> GRPCStatus? {
        let httpStatus = fields.first(":status") ?? ""
        if httpStatus.hasPrefix("1"), !endStream { return nil }
        if endStream, let status = GRPCStatus(trailers: fields) { return end(status) }
        let contentType = fields.first("content-type") ?? ""
        let encoding = fields.first("grpc-encoding") ?? "identity"
        guard httpStatus == "200", GRPCContentType.isGRPC(contentType) else {
            let status = GRPCStatus(httpStatus: httpStatus, contentType: contentType)
            if endStream { return end(status) }
            state = .receivingForeignBody(status, text: [])
            return nil
        }
        guard encoding == "identity" else {
            return end(
                .init(
                    code: .internalError,
                    message: "the server compressed its answer with '\(encoding)', which was not offered"))
        }
        if endStream {
            return end(.init(code: .unknown, message: "the server ended the call without a grpc-status"))
        }
        state = .receivingMessages
        return nil
    }

    /// Body bytes have come. Returns whether they belong to messages.
    mutating func receive(_ bytes: ByteBuffer) -> Bool {
        switch state {
        case .receivingMessages:
            return true
        case .receivingForeignBody(let status, var text):
            text += bytes.readableBytesView.prefix(Self.quoteLength - text.count)
            state = .receivingForeignBody(status, text: text)
            return false
        case .awaitingHeaders, .ended:
            return false
        }
    }

    /// The server has ended its side without trailers.
    mutating func receiveEnd() -> GRPCStatus? {
        switch state {
        case .receivingForeignBody(let status, let text):
            return end(status.quoting(text))
        case .awaitingHeaders, .receivingMessages:
            return end(.init(code: .internalError, message: "the server ended its answer without trailers"))
        case .ended:
            return nil
        }
    }

    /// The stream is gone.
    ///
    /// - Parameter deadlineHasPassed: whether the deadline is over by our own clock, in which case a server's
    ///   CANCEL means the same (grpc-go #2211).
    mutating func closed(_ code: HTTP2ErrorCode, deadlineHasPassed: Bool) -> GRPCStatus? {
        guard !hasEnded else { return nil }
        if code == .cancel, deadlineHasPassed { return end(.deadlineExceeded) }
        return end(.init(code: .init(streamReset: code), message: "the server reset the stream: \(code)"))
    }

    /// The call ends on our side, whatever the server has said.
    mutating func fail(_ status: GRPCStatus) -> GRPCStatus? {
        hasEnded ? nil : end(status)
    }

    private mutating func end(_ status: GRPCStatus) -> GRPCStatus {
        state = .ended
        return status
    }
}
