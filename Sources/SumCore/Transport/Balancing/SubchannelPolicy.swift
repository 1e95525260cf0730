internal import NIOCore

/// How calls are distributed over the addresses of a target.
public enum LoadBalancingPolicy: Hashable, Sendable {
    /// All calls go to the first address that can be connected to (grpc/proposal A62, A61).
    ///
    /// If `shuffled`, the addresses are tried in random order, so that many clients do not all choose the same.
    case pickFirst(shuffled: Bool = false)
    /// There is a connection to each address, and calls go to them in turn.
    case roundRobin
}

/// What a policy wants to be done.
enum BalancingAction: Equatable {
    /// Connect this subchannel.
    case connect(Int)
    /// Give up this subchannel's attempt, or let its connection finish its calls and close it.
    case release(Int)
    /// Ask for the target's addresses again.
    case resolve
}

/// Decides which subchannels connect, and when. A value without I/O: it is told what has happened and what time it is,
/// and returns what is to be done.
protocol SubchannelPolicy: Sendable {
    var subchannels: SubchannelList { get }
    /// `ready` if there is a subchannel for calls. After a failure of all, `transientFailure` until one is ready
    /// ("sticky", grpc/proposal A62).
    var state: ConnectivityState { get }
    /// When to call `tick` next.
    var nextTick: NIODeadline { get }

    /// The target has these addresses now.
    mutating func update(_ addresses: [ServerAddress], at now: NIODeadline) -> [BalancingAction]
    /// A call waits for a connection.
    mutating func connect(at now: NIODeadline) -> [BalancingAction]
    mutating func connected(_ id: Int, at now: NIODeadline) -> [BalancingAction]
    mutating func failed(_ id: Int, _ failure: ConnectFailure, at now: NIODeadline) -> [BalancingAction]
    mutating func lost(_ id: Int, _ failure: ConnectFailure, at now: NIODeadline) -> [BalancingAction]
    mutating func tick(at now: NIODeadline) -> [BalancingAction]
    /// Shortens pauses, because a call waits: no attempt is put off longer than `interval` after the last.
    mutating func cutPauses(after interval: TimeAmount, at now: NIODeadline)
}
