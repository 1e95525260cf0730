internal import NIOCore

/// Calls, from request to status: passes what arrives to the handlers, and their replies to the session.
extension ServerConnection {
    /// A shorter timeout passes before the clock can measure it, even if the whole call has already been read.
    private static let shortestTimeout = Duration.microseconds(1)

    func begin(_ streamID: Int32, _ fields: [HTTP2Field]) throws(NGHTTP2Error) {
        guard streams.count < limits.maxConcurrentStreams else {
            return try refuse(streamID, isExcess: true)
        }
        // Handlers may go on for a while after their streams were reset (CVE-2023-44487).
        guard unfinished.count < limits.maxConcurrentStreams else {
            return try refuse(streamID, isExcess: false)
        }
        let stream: ServerStream
        let timeout: Duration?
        var observation: CallObservation?
        do throws(GRPCRequestHead.Rejection) {
            let routed = try router.route(fields)
            timeout = routed.request.timeout
            observation = observe(start(of: routed))
            stream = try makeStream(streamID, routed, observation)
        } catch {
            try reject(error, fields, observation, on: streamID)
            return judgeRefusals()
        }
        if let timeout { try startDeadline(timeout, of: stream) }
    }

    private func startDeadline(_ timeout: Duration, of stream: ServerStream) throws(NGHTTP2Error) {
        guard timeout >= Self.shortestTimeout else { return try end(stream, .deadlineExceeded) }
        wake(stream, at: core.now + .nanoseconds(timeout.wholeNanoseconds))
    }

    private func makeStream(
        _ streamID: Int32, _ routed: RoutedRequest, _ observation: CallObservation?
    ) throws(GRPCRequestHead.Rejection) -> ServerStream {
        var context = context(of: routed, on: streamID)
        if let instrumentation = observation?.instrumentation { context.instrumentation = instrumentation }
        let made: (handler: any ServerCallHandler, caller: Caller?)
        do throws(GRPCStatus) {
            if let authorize = limits.authorize, !routed.method.isOpen {
                switch authorize.decision {
                case .immediate(let decide): try decideNow(&context, decide)
                case .deferred(let decide):
                    return hold(streamID, context, of: routed.method, observation, until: decide)
                }
            }
            if let observation, let principal = context.peer.principal { observation.identify(principal) }
            made = try makeHandler(by: routed.method.makeHandler, context)
        } catch {
            throw GRPCRequestHead.Rejection(error)
        }
        let stream = ServerStream(
            id: streamID, handler: made.handler, caller: made.caller, observation: observation)
        add(stream)
        if made.handler.outlivesStream { unfinished.insert(streamID) }
        return stream
    }

    private func start(of routed: RoutedRequest) -> ServerCallStart {
        if let start = routed.start { return start }
        let start = ServerCallStart(routed.request, peer: peer)
        routed.start = start
        return start
    }

    private func context(of routed: RoutedRequest, on streamID: Int32) -> ServerCallContext {
        ServerCallContext(
            values(of: routed), streamID: streamID, deadline: routed.request.timeout.map { .now + $0 })
    }

    private func values(of routed: RoutedRequest) -> Shared<ServerCallContext.Values> {
        if let values = routed.context { return values }
        let request = routed.request
        let values = Shared(
            ServerCallContext.Values(
                head: CallHead(request), metadata: request.metadata, timeout: request.timeout, peer: peer,
                maxMessageSize: min(limits.maxMessageSize, routed.method.maxMessageSize ?? .max),
                compression: request.compression, memory: memory,
                post: { [run] streamID, reply in run { $0.perform(late: reply(), on: streamID) } }))
        routed.context = values
        return values
    }

    // MARK: What arrives

    func receive(_ bytes: ByteBuffer, on streamID: Int32) throws(NGHTTP2Error) {
        // The connection's credit does not wait for the handler, so that a slow call does not hold up the others.
        try core.session.creditConnection(bytes.readableBytes)
        guard let stream = streams[streamID] else { return }
        stream.bytesReceived += bytes.readableBytes
        stream.observation?.receive(bytes)
        if !stream.call.acceptsMessages {
            try core.session.creditStream(streamID, bytes.readableBytes)
        } else if stream.backlog.isEmpty, !stream.isHeld {
            // Use a copy of the budget: the handler may call back into the connection.
            var slice = budget
            try offer(bytes, to: stream, within: &slice)
            budget = slice
            if !stream.backlog.isEmpty { backlogged.append(streamID) }
        } else {
            stream.addToBacklog(bytes)
        }
    }

    func receiveEnd(_ streamID: Int32) throws(NGHTTP2Error) {
        guard let stream = streams[streamID] else { return }
        guard stream.backlog.isEmpty, !stream.isHeld else { return stream.endIsWaiting = true }
        guard stream.call.receiveEnd(), let handler = stream.handler else { return }
        try perform(handler.receiveEnd(), on: stream)
    }

    private func offer(
        _ bytes: ByteBuffer, to stream: ServerStream, within budget: inout TurnBudget
    ) throws(NGHTTP2Error) {
        try perform(stream.offer(bytes, within: &budget), on: stream)
        if !stream.call.acceptsMessages {
            try core.session.creditStream(stream.id, stream.dropBacklog())
        }
    }

    /// Lets handlers take what they left in their last turns.
    func takeTurn(within turn: inout TurnBudget, at now: NIODeadline) {
        core.now = now
        guard core.isOpen else { return }
        // The client may have sent more, which we are not reading now.
        core.keepalive?.received(at: now)
        do {
            while !turn.isSpent, let streamID = backlogged.popFirst() {
                guard let stream = streams[streamID] else { continue }
                try takeTurn(stream, within: &turn)
                if !stream.backlog.isEmpty { backlogged.append(streamID) }
            }
        } catch {
            core.fail(.violation(error))
        }
    }

    private func takeTurn(_ stream: ServerStream, within turn: inout TurnBudget) throws(NGHTTP2Error) {
        guard let bytes = stream.takeBacklog() else { return }
        if stream.call.acceptsMessages {
            var slice = turn.split(TurnBudget.callSlice)
            defer { turn.add(slice) }
            try offer(bytes, to: stream, within: &slice)
        } else {
            try core.session.creditStream(stream.id, bytes.readableBytes + stream.dropBacklog())
        }
        if stream.backlog.isEmpty, stream.endIsWaiting { try receiveEnd(stream.id) }
    }

    // MARK: What handlers want

    func perform(_ reply: ServerReply, on stream: ServerStream) throws(NGHTTP2Error) {
        let session = core.session
        if reply.consumed > 0 { try session.creditStream(stream.id, reply.consumed) }
        if !reply.isPlain, reply.decompressed > 0 { judgeDecompression(reply) }
        guard !reply.isMereConsumption else { return }
        if reply.endsCall { stream.observation?.answer(at: preciseNow) }
        let output = stream.take(
            reply, headerLimit: reply.isPlain ? .max : Int(session.peerMaxHeaderListSize))
        if stream.owesClientProgress { mayOweProgress = true }
        switch output {
        case .nothing:
            break
        case .trailersOnly(let fields):
            try session.submitResponse(fields, body: nil, on: stream.id)
        case .withoutMessages(let headers, let trailers):
            try session.submitResponse(headers, trailers: trailers, on: stream.id)
        case .response(let headers?, _):
            try session.submitResponse(headers, body: stream, on: stream.id)
        case .response(nil, _):
            session.resume(stream.id)
        }
    }

    private func judgeDecompression(_ reply: ServerReply) {
        let excess = core.frameBudget?.excess(
            decompressed: reply.decompressed, from: reply.consumed, at: core.now)
        if let excess { core.terminate(excess) }
    }

    /// Performs a reply that a handler made outside its methods.
    func perform(late reply: ServerReply, on streamID: Int32) {
        if reply.end != nil { unfinished.remove(streamID) }
        guard let stream = streams[streamID] else {
            // Decompressed bytes count even if the call is gone.
            return judgeDecompression(reply)
        }
        attempt { () throws(NGHTTP2Error) in try perform(reply, on: stream) }
    }

    /// Ends a call from our side, and tells its handler.
    func end(_ stream: ServerStream, _ status: GRPCStatus) throws(NGHTTP2Error) {
        guard stream.call.isOpen else { return }
        let wasHeld = stream.isHeld
        stream.cancel(status)
        try perform(ServerReply(end: status), on: stream)
        // No turn of the call follows, in which this would be dropped.
        if wasHeld { try core.session.creditStream(stream.id, stream.dropBacklog()) }
    }
}
