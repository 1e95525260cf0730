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
    /// Response headers wait for the first message, so that a call that fails before it is answered by one
    /// header block, which lets the client retry (grpc/proposal A6).
    private var hasSentHeaders = false

    enum Output: Equatable {
        case nothing
        /// One header block that ends the stream ("Trailers-Only").
        case trailersOnly([HTTP2Field])
        /// Headers if they are not sent yet, then messages, then trailers if the call ends.
        case response(headers: [HTTP2Field]?, messages: ByteBuffer, trailers: [HTTP2Field]?)
    }

    /// Bytes have come. Returns whether the handler gets them.
    func receive() -> Bool {
        state == .receiving
    }

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

    mutating func reply(_ reply: ServerReply) -> Output {
        guard state == .receiving || state == .answering else { return .nothing }
        guard reply.end != nil || reply.messages.readableBytes > 0 else { return .nothing }
        if reply.end != nil {
            state = state == .receiving ? .endedEarly : .ended
        }
        let trailers = reply.end.map { $0.trailers.adding(reply.trailers) }
        if !hasSentHeaders, let trailers, reply.messages.readableBytes == 0 {
            return .trailersOnly(Self.responseFields().adding(reply.metadata) + trailers)
        }
        let headers = hasSentHeaders ? nil : Self.headers(of: reply)
        hasSentHeaders = true
        return .response(headers: headers, messages: reply.messages, trailers: trailers)
    }

    /// Our side has ended. Returns the code for the RST_STREAM that tells a client which goes on sending to stop,
    /// without harming the status before it (PROTOCOL-HTTP2.md, "Errors"; RFC 9113 section 8.1).
    mutating func endStreamSent() -> HTTP2ErrorCode? {
        guard state == .endedEarly else { return nil }
        state = .ended
        return .noError
    }

    /// The deadline has passed. Returns the status to end the call with, or nil when it has ended already.
    func expire() -> GRPCStatus? {
        state == .receiving || state == .answering ? .deadlineExceeded : nil
    }

    /// The stream is gone. Returns why the handler is cancelled, or nil when it had ended the call.
    mutating func closed() -> GRPCStatus? {
        defer { state = .ended }
        guard state == .receiving || state == .answering else { return nil }
        return GRPCStatus(code: .cancelled, message: "the client cancelled the call or is gone")
    }

    /// The one header block that refuses a request.
    static func rejection(_ rejection: GRPCRequest.Rejection) -> [HTTP2Field] {
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

extension GRPCStatus {
    private static let okTrailers = [HTTP2Field("grpc-status", "0")]

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
}
