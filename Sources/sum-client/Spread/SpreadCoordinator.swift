import SumCore

/// Hands the chunks of an input to the tasks that have servers add them, and ends the run. `ChunkLedger` decides.
actor SpreadCoordinator {
    private let chunkSize: Int
    private var ledger: ChunkLedger
    private let narrate: @Sendable (String) -> Void
    /// Whether the run goes on while no server can be reached.
    private let waitsForReady: Bool

    /// Numbers that do not yet fill a chunk, and since when there are some.
    private var rest: [Int32] = []
    private var restSince: ContinuousClock.Instant?

    /// Empty until they are known, as are the lists with a member for each.
    private var servers: [Target] = []
    private var shares: [ServerShare] = []
    private var behaviors: [OverflowBehavior?] = []
    /// The servers that can be reached, or of which nothing is known yet.
    private var live: Set<Int> = []
    private var problems: [Int: GRPCStatus] = [:]

    private var result: Result<Void, RunFailure>?
    /// Tasks that wait for a change of anything above.
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// How long numbers wait for more before they leave: within a tenth of a second, also if the input pauses.
    static let flushInterval = Duration.milliseconds(50)

    init(chunkSize: Int, waitsForReady: Bool, narrate: @escaping @Sendable (String) -> Void) {
        self.chunkSize = chunkSize
        self.waitsForReady = waitsForReady
        self.narrate = narrate
        ledger = ChunkLedger()
    }

    // MARK: Waiting

    private func changed() {
        let waiters = waiting
        waiting = []
        for waiter in waiters { waiter.resume() }
    }

    private func change() async {
        await withCheckedContinuation { waiting.append($0) }
    }

    /// Does what time asks for, until the run ends: sends numbers that have waited, and chunks that are stuck.
    func watchTime() async {
        while result == nil {
            try? await Task.sleep(for: Self.flushInterval)
            if let restSince, restSince + Self.flushInterval <= .now { flush() }
            changed()
        }
    }

    // MARK: The input

    /// Takes numbers of the input, and waits while the servers have enough to do.
    func add(_ numbers: [Int32]) async throws(RunFailure) {
        var numbers = numbers[...]
        while !numbers.isEmpty {
            while ledger.isFull, result == nil { await change() }
            if case .failure(let failure) = result { throw failure }
            let piece = numbers.prefix(chunkSize - rest.count)
            numbers = numbers.dropFirst(piece.count)
            if rest.isEmpty { restSince = .now }
            rest += piece
            if rest.count == chunkSize { flush() }
        }
    }

    func endInput() {
        flush()
        ledger.endInput()
        finishIfDone()
        changed()
    }

    private func flush() {
        ledger.add(rest)
        rest = []
        restSince = nil
        changed()
    }

    // MARK: Servers

    func setServers(_ targets: [Target]) {
        let addresses = targets.map(\.description)
        narrate("\(addresses.count) servers: \(addresses.joined(separator: ", "))")
        servers = targets
        ledger.serverCount = targets.count
        shares = addresses.map { ServerShare(address: $0) }
        behaviors = targets.map { _ in nil }
        live = Set(targets.indices)
        changed()
    }

    /// Waits until the servers are known.
    ///
    /// - Returns: nil if the run is over.
    func knownServers() async -> [Target]? {
        while servers.isEmpty, result == nil { await change() }
        return result == nil ? servers : nil
    }

    /// No server is known, for this reason. The run fails, unless it is to wait.
    ///
    /// - Returns: whether the run goes on.
    func setUnknown(_ status: GRPCStatus) -> Bool {
        if !waitsForReady { end(.failure(.call(status))) }
        return result == nil
    }

    /// The next chunk for a server; nil if the run is over.
    func nextChunk(for server: Int) async -> ChunkLedger.Chunk? {
        while result == nil {
            if let chunk = ledger.take(for: server, live: live, at: .now) {
                shares[server].calls += 1
                return chunk
            }
            await change()
        }
        return nil
    }

    func settle(_ chunk: ChunkLedger.Chunk, by server: Int, _ answer: ChunkLedger.Answer) {
        do throws(GRPCStatus) {
            if try ledger.settle(chunk.id, by: server, answer) {
                shares[server].numbers += chunk.numbers.count
            }
            if case .unavailable(let status) = answer { narrate("\(shares[server].address): \(status)") }
            finishIfDone()
        } catch {
            end(.failure(.call(error)))
        }
        changed()
    }

    /// What a server does with sums that do not fit. Parts from servers that differ cannot be added.
    func setBehavior(_ behavior: OverflowBehavior, of server: Int) {
        let previous = behaviors[server]
        behaviors[server] = behavior
        live.insert(server)
        problems[server] = nil
        if let previous, (previous == .wraps) != (behavior == .wraps) {
            let message =
                "\(shares[server].address) was replaced by a server that does something else with sums that do not "
                + "fit int32"
            return end(.failure(.call(GRPCStatus(code: .failedPrecondition, message: message))))
        }
        let isOther = { (other: OverflowBehavior?) in
            other.map { ($0 == .wraps) != (behavior == .wraps) } ?? false
        }
        guard let other = behaviors.firstIndex(where: isOther) else {
            finishIfDone()
            return changed()
        }
        let wrapping = shares[behavior == .wraps ? server : other].address
        let refusing = shares[behavior == .wraps ? other : server].address
        let message =
            "\(wrapping) wraps sums that do not fit int32, and \(refusing) refuses them: "
            + "use servers of one kind"
        end(.failure(.call(GRPCStatus(code: .failedPrecondition, message: message))))
    }

    /// A server cannot be reached, or takes no calls. If that is so of all, the run fails, unless it is to wait.
    func setUnreachable(_ server: Int, _ status: GRPCStatus) {
        live.remove(server)
        problems[server] = status
        narrate("\(status)")
        if live.isEmpty, !waitsForReady {
            let reasons = problems.sorted { $0.key < $1.key }.map(\.value.message)
            end(.failure(.call(GRPCStatus(code: .unavailable, message: reasons.joined(separator: "; ")))))
        }
        changed()
    }

    // MARK: The end

    /// Ends the run. The first end counts.
    func end(_ result: Result<Void, RunFailure>) {
        if self.result == nil { self.result = result }
        changed()
    }

    /// The deadline of a run that calls `target` has passed.
    func passDeadline(_ target: Target) {
        let isConnected = behaviors.contains { $0 != nil }
        let activity = isConnected ? "" : " while connecting to \(target)"
        let status = GRPCStatus(code: .deadlineExceeded, message: "the deadline has passed\(activity)")
        end(.failure(.call(status)))
    }

    /// Even the sum of no numbers needs a server, as it does in a run of one call.
    private func finishIfDone() {
        if ledger.isDone, behaviors.contains(where: { $0 != nil }) { end(.success(())) }
    }

    /// Waits for the end of the run.
    func outcome() async throws(RunFailure) -> (sum: Int32, count: Int, shares: [ServerShare]) {
        while result == nil { await change() }
        if case .failure(let failure) = result { throw failure }
        return (try total, ledger.count, shares)
    }

    /// The sum of the whole, checked as one server would check it.
    private var total: Int32 {
        get throws(RunFailure) {
            if behaviors.contains(.wraps) { return Int32(truncatingIfNeeded: ledger.sum) }
            guard let sum = Int32(exactly: ledger.sum) else {
                throw .call(
                    GRPCStatus(
                        code: .outOfRange,
                        message: "the sum \(ledger.sum) of \(ledger.count) numbers does not fit int32"))
            }
            return sum
        }
    }
}
