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

    /// What a header block means.
    enum Output: Equatable {
        case nothing
        /// Messages follow.
        case begin(GRPCMetadata, GRPCCompression)
        case end(ClientCallEnd)
    }

    var hasEnded: Bool {
        if case .ended = state { true } else { false }
    }

    /// A header block has come.
    mutating func receiveHeaders(_ fields: [HTTP2Field], endStream: Bool) -> Output {
        switch state {
        case .awaitingHeaders:
            return receiveResponse(fields, endStream: endStream)
        case .receivingMessages:
            guard endStream else {
                return end(.internalError, "the server sent headers in the middle of its answer")
            }
            return end(fields) ?? end(.unknown, "the server ended the call without a grpc-status")
        case .receivingForeignBody(let status, let text):
            return end(fields) ?? end(status.quoting(text))
        case .ended:
            return .nothing
        }
    }

    private mutating func receiveResponse(_ fields: [HTTP2Field], endStream: Bool) -> Output {
        let httpStatus = fields.first(":status") ?? ""
        if httpStatus.utf8.first == UInt8(ascii: "1"), !endStream { return .nothing }
        if endStream, let ended = end(fields) { return ended }
        let contentType = fields.first("content-type") ?? ""
        guard httpStatus == "200", GRPCContentType.isGRPC(contentType) else {
            let status = GRPCStatus(httpStatus: httpStatus, contentType: contentType)
            if endStream { return end(status) }
            state = .receivingForeignBody(status, text: [])
            return .nothing
        }
        if endStream { return end(.unknown, "the server ended the call without a grpc-status") }
        let encoding = fields.first("grpc-encoding") ?? GRPCCompression.identity.rawValue
        guard let compression = GRPCCompression(rawValue: encoding) else {
            return end(
                .internalError, "the server compressed its answer with '\(encoding)', which was not offered")
        }
        state = .receivingMessages
        return .begin(GRPCMetadata(received: fields), compression)
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
    ///
    /// - Returns: how the call ended, or nil when it had ended before; so do the functions below.
    mutating func receiveEnd() -> ClientCallEnd? {
        switch state {
        case .receivingForeignBody(let status, let text):
            return fail(status.quoting(text))
        case .awaitingHeaders, .receivingMessages, .ended:
            return fail(.init(code: .internalError, message: "the server ended its answer without trailers"))
        }
    }

    /// The stream is gone.
    ///
    /// - Parameter deadlineHasPassed: whether the deadline is over by our own clock, in which case a server's
    ///   CANCEL means the same (grpc-go #2211).
    mutating func closed(_ code: HTTP2ErrorCode, deadlineHasPassed: Bool) -> ClientCallEnd? {
        if code == .cancel, deadlineHasPassed { return fail(.deadlineExceeded) }
        var isUnanswered = false
        if case .awaitingHeaders = state { isUnanswered = true }
        return fail(
            .init(code: .init(streamReset: code), message: "the server reset the stream: \(code)"),
            reach: code == .refusedStream && isUnanswered ? .server : .application)
    }

    /// The call ends on our side, whatever the server has said.
    mutating func fail(_ status: GRPCStatus, reach: ClientCallEnd.Reach = .application) -> ClientCallEnd? {
        guard !hasEnded else { return nil }
        state = .ended
        return ClientCallEnd(status: status, reach: reach)
    }

    /// The call ends with the status in `fields`, if there is one.
    private mutating func end(_ fields: [HTTP2Field]) -> Output? {
        guard let status = GRPCStatus(trailers: fields) else { return nil }
        state = .ended
        return .end(
            ClientCallEnd(
                status: status, trailers: GRPCMetadata(received: fields),
                pushback: fields.first("grpc-retry-pushback-ms")))
    }

    private mutating func end(_ status: GRPCStatus) -> Output {
        state = .ended
        return .end(ClientCallEnd(status: status))
    }

    private mutating func end(_ code: GRPCStatus.Code, _ message: String) -> Output {
        end(GRPCStatus(code: code, message: message))
    }
}
