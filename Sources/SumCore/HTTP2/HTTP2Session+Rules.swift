internal import CNghttp2

/// Checks what arrives against `MessageRules` and resets streams that break them.
extension HTTP2Session {
    /// A header block is complete.
    func receivedHeaders(_ kind: HTTP2Event.HeadersKind, on streamID: Int32, endStream: Bool) {
        // A block after the headers is checked as trailers, or, after an interim response, as the final response.
        let isFinal = kind == .following && !watches.isEmpty && watches[streamID]?.isInterim == true
        // A block equal to the last valid one of its kind is also valid, except that trailers must end the stream.
        if let block = headers.repeatedBlock, block.isGood, !isFinal, kind != .following || endStream {
            return accept(block, kind, on: streamID, endStream: endStream)
        }
        let block = takeHeaders()
        if let fault = block.fault { return refuse(streamID, fault) }
        if block.isTooLong {
            counts.faults += 1
            return report(
                .headersTooLong(
                    streamID: streamID, fields: block.fields, length: length(of: block),
                    endStream: endStream))
        }
        let fields = block.fields
        switch kind {
        case .request:
            if let fault = MessageRules.fault(inRequest: fields) { return refuse(streamID, fault) }
        case .following where watches[streamID]?.isInterim != true:
            if let fault = MessageRules.fault(inTrailers: fields) { return refuse(streamID, fault) }
            guard endStream || role == .client else {
                return refuse(streamID, "the trailers do not end the stream")
            }
        case .response, .following:
            let (fault, isInterim) = MessageRules.fault(inResponse: fields, endStream: endStream)
            if let fault { return refuse(streamID, fault) }
            if isInterim {
                watches[streamID] = BodyWatch(isInterim: true)
            } else if !watches.isEmpty {
                watches[streamID] = nil
            }
        }
        let known = KnownBlock(
            fields: fields, buffers: block.buffers, promisedLength: promisedLength(fields),
            isGood: !isFinal && watches[streamID]?.isInterim != true)
        if kind == .following { earlierTrailers = known } else { earlierHeaders = known }
        accept(known, kind, on: streamID, endStream: endStream)
    }

    /// Reports a valid block.
    private func accept(
        _ block: KnownBlock, _ kind: HTTP2Event.HeadersKind, on streamID: Int32, endStream: Bool
    ) {
        if let promised = block.promisedLength, !endStream || promised > 0 {
            watches[streamID] = BodyWatch(promised: promised)
        }
        if endStream, !watches.isEmpty, let fault = watches[streamID]?.faultAtEnd {
            return refuse(streamID, fault)
        }
        counts.headerLists += 1
        showBegun(streamID)
        report(.headers(streamID: streamID, fields: block.fields, kind: kind, endStream: endStream))
    }

    /// A header block is far longer than the limit. nghttp2 resets its stream.
    func giveUpHeaders(on streamID: Int32) {
        let block = takeHeaders()
        refused.insert(streamID)
        let length = "more than \(length(of: block))"
        switch role {
        case .client:
            report(
                .headersTooLong(streamID: streamID, fields: block.fields, length: length, endStream: false))
        case .server:
            report(.refused(streamID: streamID, reason: "the header list has \(length)"))
        }
    }

    /// Responses with these statuses have no body, whatever their `content-length` says (RFC 9110 section 8.6).
    private static let bodiless: Set = ["204", "304"]

    private func promisedLength(_ fields: [HTTP2Field]) -> Int? {
        guard let text = fields.first("content-length"),
            !Self.bodiless.contains(fields.first(":status") ?? "")
        else { return nil }
        return MessageRules.contentLength(text)
    }

    private func length(of block: HeaderListBuilder) -> String {
        block.length > configuration.maxHeaderFields
            ? "\(block.length) fields, and the limit is \(configuration.maxHeaderFields)"
            : "\(block.size) bytes, and the limit is \(configuration.maxHeaderListSize)"
    }

    /// Checks bytes of a body against its stream's watch.
    ///
    /// - Returns: whether to report the bytes.
    func passes(_ count: Int, on streamID: Int32) -> Bool {
        guard let fault = watches[streamID]?.fault(receiving: count) else { return true }
        refuse(streamID, fault)
        _ = unsafe nghttp2_session_consume_connection(session, count)
        return false
    }

    func receivedEnd(of streamID: Int32) {
        if !watches.isEmpty, let fault = watches[streamID]?.faultAtEnd { return refuse(streamID, fault) }
        report(.endStream(streamID: streamID))
    }

    /// Resets a stream because of what arrived on it. nghttp2 then reports nothing more from it.
    func refuse(_ streamID: Int32, _ reason: String, code: HTTP2ErrorCode = .protocolError) {
        refused.insert(streamID)
        report(.refused(streamID: streamID, reason: reason))
        _ = unsafe nghttp2_submit_rst_stream(session, 0, streamID, code.rawValue)
    }

    func noteInvalidFrame(on streamID: Int32, _ error: NGHTTP2Error) {
        invalidFrame = (streamID, error)
    }

    /// A RST_STREAM for a fault of the peer has been sent. Reports the reason, unless `refuse` already has.
    func sentReset(_ code: HTTP2ErrorCode, on streamID: Int32) {
        guard refused.remove(streamID) == nil else { return }
        let error = invalidFrame?.streamID == streamID ? invalidFrame?.error : nil
        report(.refused(streamID: streamID, reason: error.map { "\(code): \($0)" } ?? "\(code)"))
    }
}
