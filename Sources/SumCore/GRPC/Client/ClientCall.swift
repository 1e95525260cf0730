internal import NIOCore

/// One stream of a call, from the client's side: how much of the request has left, and what the response means.
///
///     awaitingHeaders ──▶ receivingMessages ──▶ ended
///            └──────────▶ receivingForeignBody ───▲
///
/// A response that ends with its headers, a failure or a cancellation leads to `ended` from any state.
struct ClientCall {
    private enum State {
        /// The number of 1xx responses so far; no other has come.
        case awaitingHeaders(informational: Int)
        case receivingMessages
        /// The response is not gRPC. The beginning of its text is collected for the error message.
        case receivingForeignBody(GRPCStatus, text: [UInt8])
        case ended
    }

    /// How much of the request has left.
    private enum Sent {
        case nothing, head, everything
    }

    private var state = State.awaitingHeaders(informational: 0)
    private var sent = Sent.nothing
    /// Whether any part of a response has come, including one that breaks HTTP/2.
    private var isAnswered = false

    /// Bytes quoted from a response that is not gRPC.
    private static let quoteLength = 256
    /// 1xx responses allowed before the final one. Servers send one or two; Go's net/http gives up after five.
    private static let informationalLimit = 32

    /// What a header block means.
    enum Output: Equatable {
        case nothing
        /// Messages follow.
        case begin(GRPCMetadata, GRPCCompression)
        /// The response is not gRPC; its text follows.
        case quote
        case end(ClientCallEnd)
    }

    /// What bytes of the body mean.
    enum BodyOutput: Equatable {
        /// They belong to messages.
        case messages
        case nothing
        case end(ClientCallEnd)
    }

    var hasEnded: Bool {
        if case .ended = state { true } else { false }
    }

    /// Whether END_STREAM has left.
    var hasSentEverything: Bool { sent == .everything }
    /// Whether the HEADERS have not left yet.
    var hasSentNothing: Bool { sent == .nothing }

    /// What the call is waiting for; used in the message when its deadline passes.
    var activity: String {
        switch (sent, isAnswered) {
        case (.nothing, _): "waiting to send the request"
        case (.head, false): "sending the request"
        case (.everything, false): "waiting for the server's response"
        case (_, true): "receiving the server's response"
        }
    }

    // MARK: What has left

    /// The request's HEADERS have left.
    mutating func headSent() {
        if sent == .nothing { sent = .head }
    }

    /// END_STREAM has left.
    mutating func endSent() {
        sent = .everything
    }

    // MARK: What has come

    /// A frame of the response has begun. HTTP/2 may still reject it.
    mutating func responseBegun() {
        isAnswered = true
    }

    /// A header block has come.
    mutating func receiveHeaders(_ block: ResponseBlock, endStream: Bool) -> Output {
        isAnswered = true
        switch state {
        case .awaitingHeaders(let informational):
            return receiveResponse(block, endStream: endStream, after: informational)
        case .receivingMessages:
            guard endStream else {
                return end(.internalError, "the server sent headers in the middle of its response")
            }
            return end(block) ?? end(.unknown, "the server ended the call without a grpc-status")
        case .receivingForeignBody(let status, let text):
            return end(block, unlessOK: true) ?? end(status.quoting(text))
        case .ended:
            return .nothing
        }
    }

    /// A header block exceeds our limit. `fields` are the part that was kept.
    mutating func receiveHeaders(_ fields: [HTTP2Field], tooLong length: String) -> ClientCallEnd? {
        isAnswered = true
        var message = "the server's headers have \(length)"
        if let status = GRPCStatus(trailers: fields) { message += "; they begin with \(status)" }
        return fail(GRPCStatus(code: .resourceExhausted, message: message))
    }

    private mutating func receiveResponse(
        _ block: ResponseBlock, endStream: Bool, after informational: Int
    ) -> Output {
        if block.isInformational, !endStream {
            guard informational < Self.informationalLimit else {
                return end(
                    .internalError,
                    "the server sent more than \(Self.informationalLimit) informational (1xx) responses")
            }
            state = .awaitingHeaders(informational: informational + 1)
            return .nothing
        }
        if endStream, let ended = end(block, unlessOK: !block.isSuccess) { return ended }
        guard block.isGRPC else {
            let status = GRPCStatus(httpStatus: block.httpStatus, contentType: block.contentType)
            if endStream { return end(status) }
            state = .receivingForeignBody(status, text: [])
            return .quote
        }
        if endStream { return end(.unknown, "the server ended the call without a grpc-status") }
        guard let compression = block.compression else {
            return end(
                .internalError,
                "the server compressed its response with '\(block.encoding)', which was not offered")
        }
        state = .receivingMessages
        return .begin(block.metadata, compression)
    }

    /// Body bytes have come.
    mutating func receive(_ bytes: ByteBuffer) -> BodyOutput {
        switch state {
        case .receivingMessages:
            return .messages
        case .receivingForeignBody(let status, var text):
            text += bytes.readableBytesView.prefix(Self.quoteLength - text.count)
            state = .receivingForeignBody(status, text: text)
            guard text.count == Self.quoteLength, let end = endQuote() else { return .nothing }
            return .end(end)
        case .awaitingHeaders:
            isAnswered = true
            return .nothing
        case .ended:
            return .nothing
        }
    }

    /// Ends a response that is not gRPC, when enough of it has been read or its end does not come.
    ///
    /// - Returns: how the call ended; nil if it had already ended or goes on. This also holds for the functions below.
    mutating func endQuote() -> ClientCallEnd? {
        guard case .receivingForeignBody(let status, let text) = state else { return nil }
        return finish(status.quoting(text))
    }

    /// The server ended its side without trailers.
    mutating func receiveEnd() -> ClientCallEnd? {
        endQuote()
            ?? fail(.init(code: .internalError, message: "the server ended its response without trailers"))
    }

    /// The stream is closed.
    ///
    /// - Parameter deadlineHasPassed: whether the deadline has passed by our clock. If so, a CANCEL from the server
    ///   means the same (grpc-go #2211).
    mutating func closed(_ code: HTTP2ErrorCode, deadlineHasPassed: Bool) -> ClientCallEnd? {
        guard !hasEnded else { return nil }
        if let end = endQuote() { return end }
        if code == .cancel, deadlineHasPassed { return fail(.deadlineExceeded(while: activity)) }
        return fail(
            .init(code: .init(streamReset: code), message: "the server reset the stream: \(code)"),
            reach: code == .refusedStream ? .notSeenByServer : .maybeSeen)
    }

    /// The connection was lost, or could not send the request.
    ///
    /// - Parameter isBroken: whether the server broke HTTP/2. What it sent may have been its response.
    mutating func lost(_ status: GRPCStatus, isBroken: Bool = false) -> ClientCallEnd? {
        endQuote() ?? fail(status, reach: hasSentNothing ? .notSentOnWire : isBroken ? .answered : .maybeSeen)
    }

    /// Ends the call from our side, whatever the server has sent.
    mutating func fail(_ status: GRPCStatus) -> ClientCallEnd? {
        fail(status, reach: .maybeSeen)
    }

    private mutating func fail(_ status: GRPCStatus, reach: ClientCallEnd.Reach) -> ClientCallEnd? {
        hasEnded ? nil : finish(status, reach: isAnswered ? .answered : reach)
    }

    // MARK: Ends

    /// Ends the call with the status in `block`, if there is one.
    ///
    /// - Parameter unlessOK: true if the rest of the response is not gRPC, so that it cannot mean success.
    private mutating func end(_ block: ResponseBlock, unlessOK: Bool = false) -> Output? {
        guard let values = block.end, !(unlessOK && values.value.status.isOK) else { return nil }
        return .end(finish(values, reach: isInMessages ? .answered : .maybeSeen))
    }

    private mutating func end(_ status: GRPCStatus) -> Output {
        .end(finish(status, reach: isInMessages ? .answered : .maybeSeen))
    }

    private mutating func end(_ code: GRPCStatus.Code, _ message: String) -> Output {
        end(GRPCStatus(code: code, message: message))
    }

    /// Whether response headers have come that commit the call to this response. A trailers-only response does not.
    private var isInMessages: Bool {
        if case .receivingMessages = state { true } else { false }
    }

    private mutating func finish(
        _ status: GRPCStatus, reach: ClientCallEnd.Reach = .maybeSeen
    ) -> ClientCallEnd {
        finish(Shared(ClientCallEnd.Values(status: status, trailers: .init(), pushback: nil)), reach: reach)
    }

    private mutating func finish(
        _ values: Shared<ClientCallEnd.Values>, reach: ClientCallEnd.Reach
    ) -> ClientCallEnd {
        state = .ended
        return ClientCallEnd(values, reach: reach, everythingWasSent: hasSentEverything)
    }
}
