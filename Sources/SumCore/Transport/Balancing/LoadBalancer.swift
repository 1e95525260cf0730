internal import NIOCore

/// Gives calls the connections of a target: asks for its addresses, lets a policy connect them, and tells calls which
/// to use, to wait, or that there is none. A value without I/O.
///
/// Calls wait while the client connects for the first time, or again after a connection was lost, for as long as
/// `patience`: the time in which a server that is just starting may appear. After that the client goes on trying, but
/// calls fail at once with the reason, until a connection is ready (grpc/proposal A62). But if the last attempt is
/// `attemptInterval` ago, a call makes the client try again, and waits for the outcome.
struct LoadBalancer<Connection: AnyObject & Sendable>: Sendable {
    enum Action: Sendable {
        case connect(id: Int, ServerAddress)
        /// Give up this attempt.
        case cancel(id: Int)
        /// Let this connection finish its calls, then close it.
        case retire(Connection)
        case resolve
    }

    /// The pause before the second attempt in gRPC.
    static var attemptInterval: TimeAmount { .seconds(1) }

    private let targetName: String
    private let patience: TimeAmount
    private var policy: any SubchannelPolicy
    private var connections: [(id: Int, connection: Connection)] = []
    private(set) var picker = Picker<Connection>()

    private var resolution: ResolutionSchedule
    private var resolutionFailure: ConnectFailure?
    private var resolutionBackoff = Self.firstBackoff
    private var resolutionRetry = NIODeadline.distantFuture

    /// What each attempt waits for at present.
    private var stages: [Int: String] = [:]
    private var lastAttempt = NIODeadline.uptimeNanoseconds(0)

    private enum Waiting: Sendable {
        /// A connection is ready, or none is wanted.
        case notNeeded
        /// Calls wait for a connection until this time.
        case until(NIODeadline)
        /// Calls wait for the outcome of one more attempt, but not beyond this time.
        case oneAttempt(NIODeadline)
        /// Calls fail.
        case over
    }

    private var waiting = Waiting.notNeeded

    private static var firstBackoff: Backoff { Backoff(first: .milliseconds(20), longest: .seconds(120)) }

    /// - Parameters:
    ///   - targetName: names the target in errors.
    ///   - patience: how long calls wait for a connection.
    ///   - isStatic: whether the target's addresses never change.
    init(targetName: String, policy: LoadBalancingPolicy, patience: TimeAmount, isStatic: Bool) {
        self.targetName = targetName
        self.patience = patience
        self.policy =
            switch policy {
            case .pickFirst(let isShuffled): PickFirst(isShuffled: isShuffled)
            case .roundRobin: RoundRobin()
            }
        resolution = ResolutionSchedule(isStatic: isStatic)
    }

    var state: ConnectivityState {
        guard policy.subchannels.isEmpty else { return policy.state }
        if resolutionFailure != nil { return .transientFailure }
        if case .notNeeded = waiting { return .idle }
        return .connecting
    }

    /// When to call `tick` next.
    var nextTick: NIODeadline {
        let patienceEnd: NIODeadline =
            switch waiting {
            case .until(let end), .oneAttempt(let end): end
            case .notNeeded, .over: .distantFuture
            }
        let resolutionTime = resolution.dueTime(isReady: !picker.ready.isEmpty)
        return min(policy.nextTick, resolutionRetry, resolutionTime, patienceEnd)
    }

    // MARK: Calls

    /// Chooses the connection for a call; see `Picker.pick`.
    mutating func pick(avoiding avoided: Connection? = nil) -> Picker<Connection>.Choice {
        picker.pick(avoiding: avoided)
    }

    /// A call wants a connection, and none is ready.
    mutating func connect(at now: NIODeadline) -> [Action] {
        guard picker.ready.isEmpty else { return [] }
        switch waiting {
        case .notNeeded:
            waiting = .until(now + patience)
            if policy.subchannels.isEmpty { resolution.request() }
        case .over where lastAttempt + Self.attemptInterval <= now:
            waiting = .oneAttempt(now + patience)
            policy.cutPauses(after: Self.attemptInterval, at: now)
            resolutionRetry = .distantFuture
            resolution.request()
        case .until, .oneAttempt, .over:
            return []
        }
        return settle(policy.connect(at: now) + policy.tick(at: now), at: now)
    }

    // MARK: What has happened

    mutating func resolved(_ found: Resolution, at now: NIODeadline) -> [Action] {
        resolution.ended()
        resolutionFailure = found.failure ?? (found.addresses.isEmpty ? .noAddresses : nil)
        var addresses = found.addresses
        if resolutionFailure == nil {
            resolutionBackoff = Self.firstBackoff
        } else {
            resolutionRetry = now + .nanoseconds(resolutionBackoff.next().wholeNanoseconds)
            // Which of the addresses known before were not found again is not known: all stay in use.
            addresses += policy.subchannels.map(\.address).filter { !addresses.contains($0) }
        }
        guard !addresses.isEmpty else { return settle([], at: now) }
        var actions = policy.update(addresses, at: now)
        if case .notNeeded = waiting {} else { actions += policy.connect(at: now) }
        return settle(actions, at: now)
    }

    /// - Returns: the actions; the connection is in use unless it is among those to retire.
    mutating func connected(_ id: Int, _ connection: Connection, at now: NIODeadline) -> [Action] {
        stages[id] = nil
        connections.append((id, connection))
        return settle(policy.connected(id, at: now), at: now)
    }

    mutating func failed(_ id: Int, _ failure: ConnectFailure, at now: NIODeadline) -> [Action] {
        stages[id] = nil
        return settle(policy.failed(id, failure, at: now), at: now)
    }

    /// The connection is closed, or takes no more calls.
    mutating func lost(_ connection: Connection, _ failure: ConnectFailure, at now: NIODeadline) -> [Action] {
        guard let index = connections.firstIndex(where: { $0.connection === connection }) else { return [] }
        let id = connections.remove(at: index).id
        return settle(policy.lost(id, failure, at: now), at: now)
    }

    /// An attempt has come this far.
    mutating func stage(_ id: Int, _ stage: String) {
        guard policy.subchannels.contains(where: { $0.id == id && $0.isConnecting }) else { return }
        stages[id] = stage
    }

    mutating func tick(at now: NIODeadline) -> [Action] {
        if resolutionRetry <= now {
            resolutionRetry = .distantFuture
            resolution.request()
        }
        return settle(policy.nextTick <= now ? policy.tick(at: now) : [], at: now)
    }

    // MARK: Consequences

    private mutating func settle(_ steps: [BalancingAction], at now: NIODeadline) -> [Action] {
        var actions: [Action] = []
        for step in steps {
            switch step {
            case .connect(let id):
                guard let index = policy.subchannels.index(of: id) else { continue }
                lastAttempt = now
                actions.append(.connect(id: id, policy.subchannels[index].address))
            case .release(let id):
                stages[id] = nil
                if let index = connections.firstIndex(where: { $0.id == id }) {
                    actions.append(.retire(connections.remove(at: index).connection))
                } else {
                    actions.append(.cancel(id: id))
                }
            case .resolve:
                resolution.request()
            }
        }
        updatePicker(at: now)
        if resolution.begin(isReady: !picker.ready.isEmpty, at: now) {
            lastAttempt = now
            actions.append(.resolve)
        }
        return actions
    }

    private mutating func updatePicker(at now: NIODeadline) {
        let ready = connections.map(\.connection)
        guard ready.isEmpty else {
            waiting = .notNeeded
            guard !ready.elementsEqual(picker.ready, by: ===) else { return }
            picker = Picker(ready: ready, start: .random(in: ready.indices))
            return
        }
        switch waiting {
        case .until(let end) where end <= now || hasFailedForGood: waiting = .over
        case .oneAttempt(let end) where end <= now || !isTrying: waiting = .over
        case .notNeeded, .until, .oneAttempt, .over: break
        }
        picker = Picker(failure: failure)
    }

    private var isTrying: Bool {
        policy.subchannels.isEmpty
            ? resolution.isPending : policy.subchannels.contains(where: \.isConnecting)
    }

    // MARK: Failures

    /// Why calls fail now; nil while they wait.
    private var failure: GRPCStatus? {
        guard case .over = waiting else { return nil }
        return GRPCStatus(code: .unavailable, message: "cannot connect to \(targetName): \(reasons)")
    }

    /// Whether all have failed for reasons that another attempt is unlikely to change.
    private var hasFailedForGood: Bool {
        guard !policy.subchannels.isEmpty else { return resolutionFailure.map { !$0.isTemporary } ?? false }
        return policy.state == .transientFailure
            && policy.subchannels.allSatisfy { $0.failure.map { !$0.isTemporary } ?? false }
            && resolutionFailure.map { !$0.isTemporary } ?? true
    }

    /// Why there is no connection: the reason for each address.
    private var reasons: String {
        let known = knownReasons(or: "no response")
        return known.isEmpty ? "its addresses were not found in time" : known
    }

    /// What is known about the attempts; nil if there is nothing to tell yet.
    var problem: String? {
        let known = knownReasons(or: nil)
        return known.isEmpty ? nil : known
    }

    private func knownReasons(or placeholder: String?) -> String {
        let subchannels = policy.subchannels
        let reasons = subchannels.compactMap { subchannel -> String? in
            // The failure of an earlier attempt tells more than what the running one waits for.
            guard let reason = subchannel.failure?.description ?? stages[subchannel.id] ?? placeholder else {
                return nil
            }
            let isAlone = subchannels.count == 1 && subchannel.address.description == targetName
            return isAlone ? reason : "\(subchannel.address): \(reason)"
        }
        return (reasons + (resolutionFailure.map { [$0.description] } ?? [])).joined(separator: "; ")
    }
}
