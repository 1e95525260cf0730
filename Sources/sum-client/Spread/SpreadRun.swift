import SumCore
import Synchronization

/// A run over several servers: the input is cut into chunks, each a call of its own, and each server is given the next
/// chunk when it has finished one.
final class SpreadRun: Run {
    private let plan: RunPlan
    private let chunkSize: Int
    private let read = Atomic(0)
    /// What ends the run from outside.
    private let interruption: AsyncStream<Void>
    private let interrupted: AsyncStream<Void>.Continuation

    /// A server adds a chunk while the next is on its way to it.
    private static let callsPerServer = 2
    /// How long a run that waits for its servers leaves name servers alone.
    private static let resolutionPause = Duration.seconds(1)

    init(_ plan: RunPlan, chunkSize: Int) {
        self.plan = plan
        self.chunkSize = chunkSize
        (interruption, interrupted) = AsyncStream.makeStream()
    }

    var numbersSent: Int { read.load(ordering: .relaxed) }

    func interrupt() {
        interrupted.yield()
    }

    func outcome() async -> Result<RunOutcome, RunFailure> {
        // On all cores, and not on the event loop that the caller runs on.
        await withTaskExecutorPreference(globalConcurrentExecutor) { await spread() }
    }

    private func spread() async -> Result<RunOutcome, RunFailure> {
        let clock = ContinuousClock()
        let started = clock.now
        let end = plan.options.timeout.map { started + $0 }
        let coordinator = SpreadCoordinator(
            chunkSize: chunkSize, waitsForReady: plan.options.waitsForReady, narrate: plan.narrate)
        // Not child tasks: a lookup or a read that blocks cannot be interrupted, and must not be awaited.
        Task { await findServers(coordinator) }
        Task { await readInput(coordinator) }
        return await withTaskGroup(of: Void.self) { group in
            group.addTask { await coordinator.watchTime() }
            group.addTask { [interruption] in
                for await _ in interruption { return await coordinator.end(.failure(.interrupted)) }
            }
            if let end {
                group.addTask {
                    guard (try? await Task.sleep(until: end)) != nil else { return }
                    await coordinator.passDeadline(self.plan.target)
                }
            }
            group.addTask { await self.work(coordinator, end: end) }
            defer { group.cancelAll() }
            do throws(RunFailure) {
                let (sum, count, shares) = try await coordinator.outcome()
                return .success(
                    RunOutcome(sum: sum, count: count, elapsed: clock.now - started, shares: shares))
            } catch {
                return .failure(error)
            }
        }
    }
    // MARK: Servers

    /// Tells the coordinator which servers there are. A name that cannot be resolved is done without.
    private func findServers(_ coordinator: SpreadCoordinator) async {
        while true {
            let (servers, problems) = await addresses()
            for problem in problems { plan.narrate("\(problem)") }
            guard servers.isEmpty else { return await coordinator.setServers(servers) }
            let reasons = problems.map(\.message).joined(separator: "; ")
            let isWaiting = await coordinator.setUnknown(GRPCStatus(code: .unavailable, message: reasons))
            guard isWaiting else { return }
            try? await Task.sleep(for: Self.resolutionPause)
        }
    }

    /// The addresses of all targets, each once, and why there are none of some.
    private func addresses() async -> ([Target], [GRPCStatus]) {
        let found = await withTaskGroup { group in
            for (index, target) in plan.targets.enumerated() {
                group.addTask { (index, await self.addresses(of: target)) }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        var (servers, problems) = ([Target](), [GRPCStatus]())
        for index in plan.targets.indices {
            switch found[index] {
            case .success(let addresses):
                servers += addresses.filter { new in !servers.contains { $0.description == new.description } }
            case .failure(let problem): problems.append(problem)
            case nil: continue
            }
        }
        return (servers, problems)
    }

    private func addresses(of target: Target) async -> Result<[Target], GRPCStatus> {
        do throws(GRPCStatus) {
            return .success(
                try await target.addresses(
                    proxy: plan.configuration.proxy, usesTLS: plan.configuration.tls != nil))
        } catch {
            return .failure(error)
        }
    }

    private func work(_ coordinator: SpreadCoordinator, end: ContinuousClock.Instant?) async {
        guard let servers = await coordinator.knownServers() else { return }
        await withTaskGroup(of: Void.self) { group in
            for (server, target) in servers.enumerated() {
                let worker = SpreadWorker(server, at: target, plan, end: end, coordinator)
                group.addTask { await worker.run(calls: Self.callsPerServer) }
            }
        }
    }

    // MARK: Input

    private func readInput(_ coordinator: SpreadCoordinator) async {
        do {
            try await add(plan.numbers, to: coordinator)
            try await plan.inputs.readAll { try await self.add($0, to: coordinator) }
            await coordinator.endInput()
        } catch {
            await coordinator.end(.failure(RunFailure(error)))
        }
    }

    private func add(_ numbers: [Int32], to coordinator: SpreadCoordinator) async throws {
        try await coordinator.add(numbers)
        read.add(numbers.count, ordering: .relaxed)
    }
}
