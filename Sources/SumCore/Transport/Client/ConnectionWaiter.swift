internal import Synchronization

/// Somebody who waits for a connection.
protocol ConnectionWaiter: AnyObject, Sendable {
    /// Whether to wait as long as it takes, instead of failing when connecting fails (grpc/doc/wait-for-ready.md).
    var waitsForReady: Bool { get }
    func start(on connection: ReadyConnection)
    /// There is no connection, nor will there be one.
    func fail(_ status: GRPCStatus)
}

/// A task that waits for a connection. If it is cancelled, it waits no longer.
final class WaitingTask: ConnectionWaiter {
    typealias Outcome = Result<ReadyConnection, GRPCStatus>

    private enum State {
        case new
        case waiting(CheckedContinuation<Outcome, Never>)
        case over(Outcome)
    }

    private let state = Mutex(State.new)

    var waitsForReady: Bool { false }
    func start(on connection: ReadyConnection) { end(.success(connection)) }
    func fail(_ status: GRPCStatus) { end(.failure(status)) }

    /// Waits for the outcome. Called once.
    func outcome() async -> Outcome {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let known = state.withLock { state -> Outcome? in
                    if case .over(let outcome) = state { return outcome }
                    state = .waiting(continuation)
                    return nil
                }
                if let known { continuation.resume(returning: known) }
            }
        } onCancel: {
            fail(GRPCStatus(code: .cancelled, message: "connecting was cancelled"))
        }
    }

    /// The first outcome counts.
    private func end(_ outcome: Outcome) {
        let continuation = state.withLock { state -> CheckedContinuation<Outcome, Never>? in
            switch state {
            case .over: return nil
            case .new:
                state = .over(outcome)
                return nil
            case .waiting(let continuation):
                state = .over(outcome)
                return continuation
            }
        }
        continuation?.resume(returning: outcome)
    }
}
