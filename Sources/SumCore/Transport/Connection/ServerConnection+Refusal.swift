internal import NIOCore

/// Requests that do not become calls, and streams that we reset.
extension ServerConnection {
    /// Refuses a call that may be retried.
    ///
    /// - Parameter isExcess: whether the client already has as many open calls as allowed.
    func refuse(_ streamID: Int32, isExcess: Bool) throws(NGHTTP2Error) {
        noteReset("there are \(limits.maxConcurrentStreams) calls already")
        if isExcess {
            // The refused request earns no budget for other frames. A client that has seen the limit is at fault.
            core.session.counts.headerLists -= 1
            if preface?.verdict(at: core.now) == .isDone { core.session.counts.faults += 1 }
        }
        try core.session.submitReset(.refusedStream, on: streamID)
    }

    /// Refuses a request whose headers or trailers exceed the limit.
    func refuseHeaders(of streamID: Int32, _ fields: [HTTP2Field], _ length: String)
        throws(NGHTTP2Error)
    {
        let message = "the headers of the request have \(length)"
        if let stream = streams[streamID] {
            try end(stream, GRPCStatus(code: .resourceExhausted, message: message))
        } else if streams.count < limits.maxConcurrentStreams {
            try reject(GRPCRequestHead.Rejection(.resourceExhausted, message), fields, on: streamID)
        } else {
            noteReset(message)
            try core.session.submitReset(.refusedStream, on: streamID)
        }
    }

    /// Responds to a request with a status instead of creating a handler.
    ///
    /// - Parameter observation: nil if the observers have not been told of the call.
    func reject(
        _ rejection: GRPCRequestHead.Rejection, _ fields: [HTTP2Field],
        _ observation: CallObservation? = nil, on streamID: Int32
    ) throws(NGHTTP2Error) {
        let observation =
            observation
            ?? observe(
                ServerCallStart(rejected: fields, isHosted: { router.methods[$0] != nil }, peer: peer))
        observation?.answer(at: preciseNow)
        let stream = ServerStream(id: streamID, handler: nil, observation: observation)
        _ = stream.take(ServerReply(end: rejection.status))
        add(stream)
        let limit = Int(core.session.peerMaxHeaderListSize)
        try core.session.submitResponse(
            ServerCall.rejection(rejection, headerLimit: limit), body: nil, on: streamID)
    }
}
