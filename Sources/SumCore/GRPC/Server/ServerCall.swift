internal import NIOCore

/// The state machine of a call on the server: which step may follow which, and what each puts on the wire.
///
///                  receiveEnd
///     receiving ───────────────▶ answering
///         │                          │
///         │ reply that ends          │ reply that ends
///         ▼                          ▼
///     endedEarly ──────────────▶  ended
///             endStreamSent: RST_STREAM(NO_ERROR)
///
/// `closed` leads to `ended` from everywhere.
struct ServerCall: Equatable {
    private enum State {
        /// The client is sending its messages.
        case receiving
        /// The client has sent them all.
        case answering
        /// The call ended while the client was still sending. What else it sends is dropped.
        case endedEarly
        case ended
    }

    private var state = State.receiving
    /// Response headers are held back until the first message. So a call that fails before that, and has no metadata,
    /// gets a single header block, after which the client may retry (grpc/proposal A6).
    private(set) var hasSentHeaders = false

    enum Output: Equatable {
        case nothing
        /// One header block that ends the stream ("Trailers-Only").
        case trailersOnly([HTTP2Field])
        /// Headers and trailers without messages: the response has metadata.
        case withoutMessages(headers: [HTTP2Field], trailers: [HTTP2Field])
        /// Headers if they have not been sent, then the reply's messages, then trailers if the call ends.
        case response(headers: [HTTP2Field]?, trailers: [HTTP2Field]?)
    }

    /// Whether the handler gets the bytes that arrive.
    var acceptsMessages: Bool { state == .receiving }

    /// The client has ended its side.
    ///
    /// - Returns: whether the handler is told.
    mutating func receiveEnd() -> Bool {
        switch state {
        case .receiving:
            state = .answering
            return true
        case .endedEarly:
            state = .ended
            return false
        case .answering, .ended:
            return false
        }
    }

    /// The handler replies.
    ///
    /// - Parameter headerLimit: bytes of the largest header list that the client accepts.
    mutating func reply(_ reply: ServerReply, headerLimit: Int = .max) -> Output {
        guard isOpen else { return .nothing }
        let hasMessages = reply.messageBytes > 0
        guard reply.endsCall || hasMessages || reply.sendsHeaders && !hasSentHeaders else {
            return .nothing
        }
        if reply.endsCall {
            state = state == .receiving ? .endedEarly : .ended
        }
        if reply.isPlain, hasMessages {
            defer { hasSentHeaders = true }
            return .response(
                headers: hasSentHeaders ? nil : Self.plainHeaders,
                trailers: reply.endsCall ? GRPCStatus.okTrailers : nil)
        }
        if let end = reply.end, !hasSentHeaders, !hasMessages, reply.metadata.fields.isEmpty,
            !reply.sendsHeaders
        {
            let head = Self.responseFields()
            return .trailersOnly(
                head + end.trailers(adding: reply.trailers, limit: headerLimit - head.listSize))
        }
        let trailers = reply.end?.trailers(adding: reply.trailers, limit: headerLimit)
        let headers = hasSentHeaders ? nil : Self.headers(of: reply)
        hasSentHeaders = true
        if let headers, let trailers, !hasMessages {
            return .withoutMessages(headers: headers, trailers: trailers)
        }
        return .response(headers: headers, trailers: trailers)
    }

    /// Whether the call has no status yet.
    var isOpen: Bool { state == .receiving || state == .answering }

    /// The status to end the call with if the metadata that `reply` sends is invalid, or its headers are too long for the
    /// client.
    func refusal(of reply: ServerReply, headerLimit: Int) -> GRPCStatus? {
        guard !reply.isPlain, isOpen else { return nil }
        if let refusal = reply.metadata.refusal ?? reply.trailers.refusal { return refusal }
        guard !hasSentHeaders, !reply.metadata.fields.isEmpty else { return nil }
        let size = Self.headers(of: reply).listSize
        guard size > headerLimit else { return nil }
        return GRPCStatus(
            code: .resourceExhausted,
            message: "the response headers have \(size) bytes, but the client accepts \(headerLimit)")
    }

    /// Our END_STREAM has been sent.
    ///
    /// - Returns: the code for the RST_STREAM that makes a client which is still sending stop, and does not invalidate
    ///   the status (PROTOCOL-HTTP2.md, "Errors"; RFC 9113 section 8.1).
    mutating func endStreamSent() -> HTTP2ErrorCode? {
        guard state == .endedEarly else { return nil }
        state = .ended
        return .noError
    }

    /// The stream is closed.
    ///
    /// - Returns: the reason to cancel the handler with; nil if the call had ended.
    mutating func closed() -> GRPCStatus? {
        defer { state = .ended }
        guard isOpen else { return nil }
        return GRPCStatus(code: .cancelled, message: "the client cancelled the call or is gone")
    }

    /// The single header block that rejects a request.
    ///
    /// - Parameter headerLimit: bytes of the longest header list that the client accepts.
    static func rejection(_ rejection: GRPCRequestHead.Rejection, headerLimit: Int = .max) -> [HTTP2Field] {
        let head = responseFields(httpStatus: rejection.httpStatus) + rejection.fields
        return head + rejection.status.trailers(adding: GRPCMetadata(), limit: headerLimit - head.listSize)
    }

    /// The headers of a response without compression and metadata.
    private static let plainHeaders =
        responseFields() + [HTTP2Field("grpc-accept-encoding", GRPCCompression.acceptEncoding)]

    private static func headers(of reply: ServerReply) -> [HTTP2Field] {
        var fields = plainHeaders
        if reply.compression != .identity {
            fields.append(HTTP2Field("grpc-encoding", reply.compression.rawValue))
        }
        return fields.adding(reply.metadata)
    }

    private static func responseFields(httpStatus: Int = 200) -> [HTTP2Field] {
        [
            HTTP2Field(":status", "\(httpStatus)"), HTTP2Field("content-type", GRPCContentType.standard),
            HTTP2Field("server", Version.server),
        ]
    }
}
