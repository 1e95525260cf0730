import SumCore

/// Hands the chunks of an input to the tasks that have servers add them, and ends the run. `ChunkLedger` decides.
actor SpreadCoordinator {
    private let chunkSize: Int
    private var ledger: ChunkLedger
    private let narrate: @Sendable (String) -> Void

    /// Numbers that do not yet fill a chunk, and since when there are some.
    private var rest: [Int32] = []
    private var restSince: ContinuousClock.Instant?

    private var shares: [ServerShare]
    private var behaviors: [OverflowBehavior?]
    /// The servers that can be reached, or of which nothing is known yet.
    private var live: Set<Int>
    private var problems: [Int: GRPCStatus] = [:]

    private var result: Result<Void, RunFailure>?
    /// Tasks that wait for a change of anything above.
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// How long numbers wait for more before they leave: within a tenth of a second, also if the input pauses.
    static let flushInterval = Duration.milliseconds(50)

    init(addresses: [String], chunkSize: Int, narrate: @escaping @Sendable (String) -> Void) {
        self.chunkSize = chunkSize
        self.narrate = narrate
        ledger = ChunkLedger(serverCount: addresses.count)
        shares = addresses.map { ServerShare(address: $0) }
        behaviors = addresses.map { _ in nil }
        live = Set(addresses.indices)
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
        behaviors[server] = behavior
        let isOther = { (other: OverflowBehavior?) in
            other.map { ($0 == .wraps) != (behavior == .wraps) } ?? false
        }
        guard let other = behaviors.firstIndex(where: isOther) else { return }
        let wrapping = shares[behavior == .wraps ? server : other].address
        let refusing = shares[behavior == .wraps ? other : server].address
        let message =
            "\(wrapping) wraps sums that do not fit int32, and \(refusing) refuses them: "
            + "use servers of one kind"
        end(.failure(.call(GRPCStatus(code: .failedPrecondition, message: message))))
    }

    func setLive(_ server: Int) {
        live.insert(server)
        problems[server] = nil
        changed()
    }

    /// A server cannot be reached. If none can, the run fails.
    func setUnreachable(_ server: Int, _ status: GRPCStatus) {
        live.remove(server)
        problems[server] = status
        narrate("\(status)")
        if live.isEmpty {
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

    private func finishIfDone() {
        if ledger.isDone { end(.success(())) }
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
