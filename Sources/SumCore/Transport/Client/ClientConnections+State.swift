internal import Synchronization

/// The state of the connections as a whole, for the client's users.
extension ClientConnections {
    var connectivityState: ConnectivityState {
        state.withLock { $0.isClosed ? .shutdown : $0.balancer.state }
    }

    /// Waits until the state is another than `old`, or the task is cancelled.
    func connectivityState(after old: ConnectivityState) async -> ConnectivityState {
        while true {
            let current = connectivityState
            if current != old || Task.isCancelled { return current }
            await withTaskCancellationHandler {
                await withCheckedContinuation { watcher in
                    let isDue = state.withLock { state in
                        let current = state.isClosed ? .shutdown : state.balancer.state
                        if current != old || Task.isCancelled { return true }
                        state.watchers.append(watcher)
                        return false
                    }
                    if isDue { watcher.resume() }
                }
            } onCancel: {
                // Wakes all; the others go on waiting.
                let watchers = state.withLock { state in
                    defer { state.watchers = [] }
                    return state.watchers
                }
                for watcher in watchers { watcher.resume() }
            }
        }
    }
}
