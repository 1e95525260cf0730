internal import NIOCore

/// Connects to the addresses in order until one is ready, and uses that (grpc/proposal A62).
///
/// The next address is tried as soon as one has failed, and after `attemptDelay` while one is silent: then several are
/// tried at once, and the first that is ready, all handshakes included, wins (RFC 8305, grpc/proposal A61). Once each
/// has failed, each is tried again after its own pause.
struct PickFirst: SubchannelPolicy {
    private enum Phase: Equatable {
        case idle
        /// The first attempts, of which the one at `next` is the next to begin.
        case firstPass(next: Int)
        case ready(Int)
        case transientFailure
    }

    /// How long a silent address delays the next ("Connection Attempt Delay", RFC 8305 section 5).
    static let attemptDelay = TimeAmount.milliseconds(250)

    private let isShuffled: Bool
    private(set) var subchannels = SubchannelList()
    private var phase = Phase.idle
    private var nextAttempt = NIODeadline.distantFuture

    init(isShuffled: Bool = false) {
        self.isShuffled = isShuffled
    }

    var state: ConnectivityState {
        switch phase {
        case .idle: .idle
        case .firstPass: .connecting
        case .ready: .ready
        case .transientFailure: .transientFailure
        }
    }

    var nextTick: NIODeadline {
        switch phase {
        case .idle, .ready: .distantFuture
        case .firstPass: nextAttempt
        case .transientFailure: subchannels.nextRetry
        }
    }

    mutating func update(_ addresses: [ServerAddress], at now: NIODeadline) -> [BalancingAction] {
        guard !subchannels.hasSameAddresses(as: addresses) else { return [] }
        var actions = subchannels.replace(by: (isShuffled ? addresses.shuffled() : addresses).interleaved)
            .filter { $0.isReady || $0.isConnecting }.map { BalancingAction.release($0.id) }
        switch phase {
        case .idle: break
        case .ready(let id) where subchannels.index(of: id) != nil: break
        case .ready: phase = .idle
        case .firstPass, .transientFailure: actions += beginPass(at: now)
        }
        return actions
    }

    mutating func connect(at now: NIODeadline) -> [BalancingAction] {
        phase == .idle && !subchannels.isEmpty ? beginPass(at: now) : []
    }

    private mutating func beginPass(at now: NIODeadline) -> [BalancingAction] {
        phase = .firstPass(next: 0)
        return attemptNext(at: now)
    }

    /// Begins the next attempt of the first pass. An address that pauses after a failure has had its attempt.
    private mutating func attemptNext(at now: NIODeadline) -> [BalancingAction] {
        guard case .firstPass(var next) = phase else { return [] }
        while next < subchannels.count {
            defer { next += 1 }
            let begins = subchannels[next].connect(at: now)
            guard begins || subchannels[next].isConnecting else { continue }
            phase = .firstPass(next: next + 1)
            nextAttempt = next + 1 < subchannels.count ? now + Self.attemptDelay : .distantFuture
            return begins ? [.connect(subchannels[next].id)] : []
        }
        phase = .firstPass(next: next)
        nextAttempt = .distantFuture
        return endPass()
    }

    private mutating func endPass() -> [BalancingAction] {
        guard subchannels.allSatisfy(\.hasFailed) else { return [] }
        phase = .transientFailure
        return [.resolve]
    }

    mutating func connected(_ id: Int, at now: NIODeadline) -> [BalancingAction] {
        guard let index = subchannels.index(of: id) else { return [.release(id)] }
        if case .ready = phase { return [.release(id)] }
        subchannels[index].connected(at: now)
        phase = .ready(id)
        return subchannels.indices.filter { $0 != index }.compactMap { other in
            defer { subchannels[other].release() }
            return subchannels[other].isConnecting ? .release(subchannels[other].id) : nil
        }
    }

    mutating func failed(_ id: Int, _ failure: ConnectFailure, at now: NIODeadline) -> [BalancingAction] {
        guard let index = subchannels.index(of: id) else { return [] }
        subchannels[index].failed(failure, at: now)
        switch phase {
        case .firstPass(let next) where index + 1 == next: return attemptNext(at: now)
        case .firstPass(let next) where next == subchannels.count: return endPass()
        case .transientFailure: return [.resolve]
        case .idle, .firstPass, .ready: return []
        }
    }

    mutating func lost(_ id: Int, _ failure: ConnectFailure, at now: NIODeadline) -> [BalancingAction] {
        guard phase == .ready(id), let index = subchannels.index(of: id) else { return [] }
        subchannels[index].lost(failure, at: now)
        phase = .idle
        return [.resolve]
    }

    mutating func tick(at now: NIODeadline) -> [BalancingAction] {
        switch phase {
        case .idle, .ready: []
        case .firstPass: nextAttempt <= now ? attemptNext(at: now) : []
        case .transientFailure: retry(at: now)
        }
    }

    private mutating func retry(at now: NIODeadline) -> [BalancingAction] {
        subchannels.indices.compactMap { index in
            subchannels[index].connect(at: now) ? .connect(subchannels[index].id) : nil
        }
    }

    mutating func cutPauses(after interval: TimeAmount, at now: NIODeadline) {
        subchannels.cutPauses(after: interval, at: now)
    }
}
