internal import NIOCore
internal import Synchronization

/// Calls and tasks that wait for a connection.
extension ClientConnections {
    /// Waits until a connection is ready, or none is to be had.
    func connected() async throws(GRPCStatus) -> ReadyConnection {
        let task = WaitingTask()
        wait(task)
        defer { stopWaiting(task) }
        return try await task.outcome().get()
    }

    private func wait(
        _ waiter: any ConnectionWaiter, after pause: Duration = .zero,
        avoiding avoided: ReadyConnection? = nil
    ) {
        let id = ObjectIdentifier(waiter)
        let isClosed = state.withLock { state in
            guard !state.isClosed else { return true }
            var waiting = Waiting(waiter: waiter, avoided: avoided)
            if pause > .zero || avoided != nil {
                // At least one turn of the loop: a call that has just failed is still being ended.
                waiting.pause = eventLoop.scheduleTask(in: .nanoseconds(pause.wholeNanoseconds)) {
                    self.endPause(id)
                }
            }
            state.waiting[id] = waiting
            return false
        }
        if isClosed { return waiter.fail(.clientClosed) }
        if pause == .zero, avoided == nil { step { $0.connect(at: $1) } }
    }

    private func stopWaiting(_ waiter: any ConnectionWaiter) {
        state.withLock { $0.waiting.removeValue(forKey: ObjectIdentifier(waiter)) }?.pause?.cancel()
    }

    private func endPause(_ id: ObjectIdentifier) {
        state.withLock { $0.waiting[id]?.pause = nil }
        step { $0.connect(at: $1) }
    }
}

extension ClientConnections: ConnectionSource {
    var isClosed: Bool { state.withLock { $0.isClosed } }

    var resolvedAt: NIODeadline? { state.withLock { $0.resolvedAt } }

    var activity: String {
        let problem = state.withLock { $0.balancer.problem }
        return "connecting to \(target)" + (problem.map { ": \($0)" } ?? "")
    }

    func pick() -> ReadyConnection? {
        state.withLock { state in
            if case .use(let connection) = state.balancer.pick(), !state.isClosed { connection } else { nil }
        }
    }

    func connect(_ call: RetryingCall, after pause: Duration, avoiding avoided: ReadyConnection?) {
        wait(call, after: pause, avoiding: avoided)
    }

    func stopConnecting(_ call: RetryingCall) {
        stopWaiting(call)
    }

    func discard(_ connection: ReadyConnection) {
        // Its words are known on its loop only.
        guard connection.eventLoop.inEventLoop else {
            return connection.eventLoop.execute { self.discard(connection) }
        }
        let reason = connection.handler.value.connection.lossReason
        let failure = ConnectFailure(
            description: "the connection was lost" + (reason.map { ": \($0)" } ?? ""), isTemporary: true)
        step { $0.lost(connection, failure, at: $1) }
    }
}
