internal import NIOCore

/// Calls, from their beginning to their deadline.
extension ClientConnection {
    /// How long to wait for the text of a response that is not gRPC.
    static let quoteLimit = TimeAmount.seconds(1)

    /// Begins a call. Its timeout starts now.
    ///
    /// - Returns: the stream; nil if the call ended before it began.
    func start(_ request: GRPCRequestHead, handler: any ClientCallHandler) -> ClientStream? {
        let expiry = request.timeout.map { core.now + .nanoseconds($0.wholeNanoseconds) } ?? .distantFuture
        let stream = ClientStream(handler: handler, expiry: expiry)
        do throws(GRPCStatus) {
            stream.id = try submit(request, body: stream)
        } catch {
            // Any other status comes from the call itself: another connection would not help.
            let isOfConnection = error.code == .unavailable
            handler.end(ClientCallEnd(status: error, reach: isOfConnection ? .notSentOnWire : .maybeSeen))
            return nil
        }
        streams[stream.id] = stream
        if expiry != .distantFuture { wake(stream, at: expiry) }
        return stream
    }

    private func submit(_ request: GRPCRequestHead, body: ClientStream) throws(GRPCStatus) -> Int32 {
        guard core.isOpen, case .ready = state, core.closeReason == nil else {
            throw GRPCStatus(code: .unavailable, message: "the connection was lost\(reasonSuffix)")
        }
        if let timeout = request.timeout, timeout <= .zero { throw .deadlineExceeded }
        guard keepsSecret(request) else { throw CallCredentials.notPrivate }
        let sent = try sent(request)
        let limit = core.session.peerMaxHeaderListSize
        guard sent.listSize <= limit else {
            throw GRPCStatus(
                code: .resourceExhausted,
                message: "the headers of the call have \(sent.listSize) bytes, and the server takes \(limit)")
        }
        do {
            return try core.session.submitRequest(sent.fields, body: body)
        } catch {
            throw GRPCStatus(code: .unavailable, message: "the call could not be sent: \(error)")
        }
    }

    private func sent(_ request: GRPCRequestHead) throws(GRPCStatus) -> SentRequest {
        if let lastRequest, lastRequest.request == request { return lastRequest }
        if let refusal = request.metadata.refusal { throw refusal }
        let sent = SentRequest(request)
        lastRequest = sent
        return sent
    }

    /// Pulls the body of a call again after it had nothing to give.
    func resume(_ stream: ClientStream) {
        core.session.resume(stream.id)
    }

    /// Gives the server credit for response bytes that were consumed late.
    func credit(_ stream: ClientStream, _ count: Int) {
        guard !stream.call.hasEnded else { return }
        attempt { () throws(NGHTTP2Error) in try core.session.creditStream(stream.id, count) }
    }

    func cancel(_ stream: ClientStream, _ status: GRPCStatus) {
        guard let callEnd = stream.call.fail(status) else { return }
        attempt { () throws(NGHTTP2Error) in try end(stream, callEnd) }
    }

    // MARK: Time

    /// Schedules a check of a stream, replacing the one before.
    func wake(_ stream: ClientStream, at moment: NIODeadline) {
        stream.wakeUp = moment
        core.tick(by: moment)
        deadlines.add(moment, of: stream.id, streamCount: streams.count) { streams[$0]?.wakeUp == $1 }
    }

    /// Ends calls whose deadline has passed, and responses that are not gRPC whose text has not ended in time.
    func checkDeadlines() -> NIODeadline? {
        while let (streamID, moment) = deadlines.popFirst(at: core.now) {
            guard let stream = streams[streamID], stream.wakeUp == moment else { continue }
            stream.wakeUp = nil
            if moment >= stream.expiry {
                cancel(stream, .deadlineExceeded(while: stream.call.activity))
            } else if let callEnd = stream.call.endQuote() {
                attempt { () throws(NGHTTP2Error) in try end(stream, callEnd) }
            }
        }
        return deadlines.next
    }
}

/// A request, as it is sent.
final class SentRequest {
    let request: GRPCRequestHead
    let fields: [HTTP2Field]
    /// Bytes of `fields`, for SETTINGS_MAX_HEADER_LIST_SIZE.
    let listSize: Int

    init(_ request: GRPCRequestHead) {
        self.request = request
        fields = request.fields()
        listSize = fields.listSize
    }
}
