internal import NIOCore

/// One call as the server sees it: which of its steps may follow which, and what they put on the wire.
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
        /// The status has been given while the client was still sending; what it sends is dropped.
        case endedEarly
        case ended
    }

    private var state = State.receiving
    /// Response headers wait for the first message, so that a call that fails before it, and has no metadata, is
    /// answered by one header block, which lets the client retry (grpc/proposal A6).
    private(set) var hasSentHeaders = false

    enum Output: Equatable {
        case nothing
        /// One header block that ends the stream ("Trailers-Only").
        case trailersOnly([HTTP2Field])
        /// Headers and trailers with nothing between them: the answer has metadata, and no message.
        case withoutMessages(headers: [HTTP2Field], trailers: [HTTP2Field])
        /// Headers if they are not sent yet, then messages, then trailers if the call ends.
        case response(headers: [HTTP2Field]?, messages: ByteBuffer, trailers: [HTTP2Field]?)
    }

    /// Whether the handler gets the bytes that come.
    var acceptsMessages: Bool { state == .receiving }

    /// The client has ended its side. Returns whether the handler is told.
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

    /// - Parameter headerLimit: bytes of the longest header list that the client takes.
    mutating func reply(_ reply: ServerReply, headerLimit: Int = .max) -> Output {
        guard isOpen else { return .nothing }
        let hasMessages = reply.messages.readableBytes > 0
        guard reply.end != nil || hasMessages || reply.sendsHeaders && !hasSentHeaders else {
            return .nothing
        }
        if reply.end != nil {
            state = state == .receiving ? .endedEarly : .ended
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
        return .response(headers: headers, messages: reply.messages, trailers: trailers)
    }

    /// Whether the status is still to be given.
    var isOpen: Bool { state == .receiving || state == .answering }

    /// Why the client would not take the headers that `reply` sends; nil when it would.
    func refusal(of reply: ServerReply, headerLimit: Int) -> GRPCStatus? {
        guard isOpen, !hasSentHeaders, !reply.metadata.fields.isEmpty else { return nil }
        let size = Self.headers(of: reply).listSize
        guard size > headerLimit else { return nil }
        return GRPCStatus(
            code: .resourceExhausted,
            message: "the headers of the answer have \(size) bytes, and the client takes \(headerLimit)")
    }

    /// Our side has ended. Returns the code for the RST_STREAM that tells a client which goes on sending to stop,
    /// without harming the status before it (PROTOCOL-HTTP2.md, "Errors"; RFC 9113 section 8.1).
    mutating func endStreamSent() -> HTTP2ErrorCode? {
        guard state == .endedEarly else { return nil }
        state = .ended
        return .noError
    }

    /// The stream is gone. Returns why the handler is cancelled, or nil when it had ended the call.
    mutating func closed() -> GRPCStatus? {
        defer { state = .ended }
        guard isOpen else { return nil }
        return GRPCStatus(code: .cancelled, message: "the client cancelled the call or is gone")
    }

    /// The one header block that refuses a request.
    static func rejection(_ rejection: GRPCRequestHead.Rejection) -> [HTTP2Field] {
        responseFields(httpStatus: rejection.httpStatus) + rejection.fields + rejection.status.trailers
    }

    /// The headers of an answer with messages that says nothing of its own.
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
