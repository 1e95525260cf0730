internal import NIOCore

/// Keeps a connection to each address. `Picker` gives them calls in turn.
struct RoundRobin: SubchannelPolicy {
    private(set) var subchannels = SubchannelList()
    /// Whether a call has ever waited for a connection.
    private var isWanted = false
    /// Whether all have failed since one was ready.
    private var hasFailed = false

    var state: ConnectivityState {
        if subchannels.contains(where: \.isReady) { return .ready }
        if hasFailed { return .transientFailure }
        return isWanted && !subchannels.isEmpty ? .connecting : .idle
    }

    var nextTick: NIODeadline { subchannels.nextRetry }

    mutating func update(_ addresses: [ServerAddress], at now: NIODeadline) -> [BalancingAction] {
        guard !subchannels.hasSameAddresses(as: addresses) else { return [] }
        let removed = subchannels.replace(by: addresses.interleaved).filter { $0.isReady || $0.isConnecting }
        return removed.map { .release($0.id) } + connectAll(at: now)
    }

    mutating func connect(at now: NIODeadline) -> [BalancingAction] {
        isWanted = true
        return connectAll(at: now)
    }

    private mutating func connectAll(at now: NIODeadline) -> [BalancingAction] {
        guard isWanted else { return [] }
        return subchannels.indices.compactMap { index in
            subchannels[index].connect(at: now) ? .connect(subchannels[index].id) : nil
        }
    }

    mutating func connected(_ id: Int, at now: NIODeadline) -> [BalancingAction] {
        guard let index = subchannels.index(of: id) else { return [.release(id)] }
        subchannels[index].connected(at: now)
        hasFailed = false
        return []
    }

    mutating func failed(_ id: Int, _ failure: ConnectFailure, at now: NIODeadline) -> [BalancingAction] {
        guard let index = subchannels.index(of: id) else { return [] }
        subchannels[index].failed(failure, at: now)
        noteFailure()
        return [.resolve]
    }

    mutating func lost(_ id: Int, _ failure: ConnectFailure, at now: NIODeadline) -> [BalancingAction] {
        guard let index = subchannels.index(of: id) else { return [] }
        subchannels[index].lost(failure, at: now)
        noteFailure()
        return connectAll(at: now) + [.resolve]
    }

    private mutating func noteFailure() {
        if subchannels.allSatisfy({ $0.failure != nil }) { hasFailed = true }
    }

    mutating func tick(at now: NIODeadline) -> [BalancingAction] { connectAll(at: now) }

    mutating func cutPauses(after interval: TimeAmount, at now: NIODeadline) {
        subchannels.cutPauses(after: interval, at: now)
    }
}
