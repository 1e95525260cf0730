internal import NIOCore

/// Who may make a call, and how many: decided before a handler is made, and before anything that the call's messages
/// contain is looked at.
extension ServerConnection {
    /// - Throws: the status with which the call is refused.
    func decideNow(
        _ context: inout ServerCallContext, _ decide: (ServerCallContext) throws -> String?
    ) throws(GRPCStatus) {
        do {
            let principal = try decide(context)
            noteDecision(nil)
            if let principal { context.peer.principal = principal }
        } catch {
            let refusal = CallAuthorizer.refusal(for: error)
            noteDecision(refusal)
            throw refusal
        }
    }

    /// Makes the handler of a call that may be made, if its caller may have one more.
    func makeHandler(
        by make: (ServerCallContext) throws(GRPCStatus) -> any ServerCallHandler, _ context: ServerCallContext
    ) throws(GRPCStatus) -> (handler: any ServerCallHandler, caller: Caller?) {
        guard let callCounter, let caller = Caller(context.peer) else {
            return (try make(context), nil)
        }
        try callCounter.begin(caller)
        do throws(GRPCStatus) {
            return (try make(context), caller)
        } catch {
            callCounter.end(caller)
            throw error
        }
    }

    // MARK: Decisions that take time

    /// Begins a call that is held until it is decided whether it may be made.
    func hold(
        _ streamID: Int32, _ context: ServerCallContext, of method: GRPCMethod,
        _ observation: CallObservation?,
        until decide: @escaping @Sendable (ServerCallContext) async throws -> String?
    ) -> ServerStream {
        let stream = ServerStream(id: streamID, handler: nil, observation: observation)
        add(stream)
        // The task may go on for a while after its stream was reset, as those of handlers may.
        unfinished.insert(streamID)
        stream.hold(
            until: Task { [run] in
                let verdict: Result<String?, GRPCStatus>
                do {
                    verdict = .success(try await decide(context))
                } catch {
                    verdict = .failure(CallAuthorizer.refusal(for: error))
                }
                run { $0.decided(verdict, streamID, context, of: method) }
            })
        return stream
    }

    private func decided(
        _ verdict: Result<String?, GRPCStatus>, _ streamID: Int32, _ context: ServerCallContext,
        of method: GRPCMethod
    ) {
        unfinished.remove(streamID)
        let stream = streams[streamID].flatMap { $0.isHeld ? $0 : nil }
        switch verdict {
        case .success(let principal):
            noteDecision(nil)
            guard let stream else { return }
            var context = context
            if let principal { context.peer.principal = principal }
            release(stream, context, of: method)
        case .failure(let refusal):
            // One that was cancelled says nothing about the caller.
            guard let stream else { return }
            noteDecision(refusal)
            attempt { () throws(NGHTTP2Error) in try end(stream, refusal) }
            judgeRefusals()
        }
    }

    private func release(_ stream: ServerStream, _ context: ServerCallContext, of method: GRPCMethod) {
        if let principal = context.peer.principal { stream.observation?.identify(principal) }
        do throws(GRPCStatus) {
            let (handler, caller) = try makeHandler(by: method.makeHandler, context)
            stream.release(to: handler, caller: caller)
            if handler.outlivesStream { unfinished.insert(stream.id) }
        } catch {
            return attempt { () throws(NGHTTP2Error) in try end(stream, error) }
        }
        if !stream.backlog.isEmpty {
            backlogged.append(stream.id)
        } else if stream.endIsWaiting {
            attempt { () throws(NGHTTP2Error) in try receiveEnd(stream.id) }
        }
    }

    // MARK: Refusals

    /// - Parameter refusal: nil if the call may be made.
    private func noteDecision(_ refusal: GRPCStatus?) {
        if let refusal {
            for observer in connectionObservers { observer.authorizationFailed(refusal) }
        }
        switch refusal?.code {
        case nil: refusalsInARow = 0
        case .unauthenticated?, .permissionDenied?: refusalsInARow += 1
        // Not the caller's fault, such as UNAVAILABLE from an authorizer that asks another service.
        default: break
        }
    }

    /// Ends the connection of a client that guesses.
    func judgeRefusals() {
        guard refusalsInARow >= limits.maxRefusedCalls else { return }
        core.terminate(.refusedCalls)
    }
}
