/// Somebody who waits for a connection.
protocol ConnectionWaiter: AnyObject, Sendable {
    /// Whether to wait as long as it takes, instead of failing when connecting fails (grpc/doc/wait-for-ready.md).
    var waitsForReady: Bool { get }
    func start(on connection: ReadyConnection)
    /// There is no connection, nor will there be one.
    func fail(_ status: GRPCStatus)
}

/// A task that waits for a connection.
final class ContinuationWaiter: ConnectionWaiter {
    typealias Continuation = CheckedContinuation<Result<ReadyConnection, GRPCStatus>, Never>

    private let continuation: Continuation

    init(_ continuation: Continuation) {
        self.continuation = continuation
    }

    var waitsForReady: Bool { false }
    func start(on connection: ReadyConnection) { continuation.resume(returning: .success(connection)) }
    func fail(_ status: GRPCStatus) { continuation.resume(returning: .failure(status)) }
}
