internal import NIOCore
internal import Synchronization

/// What the event loop of the connection tells a call.
extension AsyncServerCall {
    private func change<Failure: Error>(_ body: (inout State) throws(Failure) -> Void) throws(Failure) {
        let waiters = try state.withLock { state throws(Failure) in
            try body(&state)
            return state.takeWaiters()
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Queues bytes of messages.
    ///
    /// - Throws: the status that ends the call, if a prefix is invalid.
    func receive(_ bytes: ByteBuffer) throws(GRPCStatus) {
        try change { state throws(GRPCStatus) in
            let before = state.inbox.count
            defer { state.counts.received += Int64(state.inbox.count - before) }
            try state.inbox.append(bytes)
        }
    }

    /// The counts of messages received and sent.
    var messageCounts: MessageCounts { state.withLock { $0.counts } }

    /// The client has sent all messages.
    ///
    /// - Throws: the status that ends the call, if the last message is incomplete.
    func receiveEnd() throws(GRPCStatus) {
        try change { state throws(GRPCStatus) in
            try state.inbox.finish()
            state.inboxIsComplete = true
        }
    }

    /// The call has ended without its handler.
    func end(_ status: GRPCStatus) {
        var unsent = 0
        change { state in
            state.end = status
            state.inbox.removeAll()
            (unsent, state.unsent) = (state.unsent, 0)
        }
        context.memory.releaseUnsent(unsent)
        context.memory.wakeAll()
    }

    /// Bytes of responses have been passed on to the network.
    func sent(_ byteCount: Int) {
        var count = 0
        change { state in
            count = min(byteCount, state.unsent)
            state.unsent -= count
        }
        context.memory.releaseUnsent(count)
    }
}
