internal import NIOCore

/// Provides the connections for a client's calls.
protocol ConnectionSource: AnyObject, Sendable {
    /// Runs the timers of calls that have no connection, and tells observers of their end.
    var eventLoop: any EventLoop { get }
    /// Whether there will be no more connections.
    var isClosed: Bool { get }
    /// What a waiting call is waiting for, such as "connecting to localhost:50051: Connection refused".
    var activity: String { get }
    /// When the addresses of the target were first known; nil if they are not yet.
    var resolvedAt: NIODeadline? { get }
    /// Chooses the connection for a new call; nil if the call must `connect`.
    func pick() -> ReadyConnection?
    /// Waits for `pause` and for a connection, and starts the call on it, or fails it.
    ///
    /// - Parameter avoided: the connection on which the call has failed, which it gets only if there is no other.
    func connect(_ call: RetryingCall, after pause: Duration, avoiding avoided: ReadyConnection?)
    /// The call no longer waits.
    func stopConnecting(_ call: RetryingCall)
    /// The connection takes no more calls; the next call needs another.
    func discard(_ connected: ReadyConnection)
}
