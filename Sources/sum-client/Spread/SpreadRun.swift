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
        let clock = ContinuousClock()
        let started = clock.now
        do {
            let servers = try await plan.target.addresses(proxy: plan.configuration.proxy)
            plan.narrate("\(servers.count) servers: \(servers.map(\.description).joined(separator: ", "))")
            let clients = servers.map { GRPCClient(target: $0, configuration: plan.configuration) }
            let end = plan.options.timeout.map { started + $0 }
            let result = await result(from: clients, servers.map(\.description), end: end)
            for client in clients { await client.close() }
            let (sum, count, shares) = try result.get()
            return .success(
                RunOutcome(sum: sum, count: count, elapsed: clock.now - started, shares: shares))
        } catch {
            return .failure(RunFailure(error))
        }
    }

    private typealias Total = (sum: Int32, count: Int, shares: [ServerShare])

    private func result(
        from clients: [GRPCClient], _ addresses: [String], end: ContinuousClock.Instant?
    ) async -> Result<Total, RunFailure> {
        let coordinator = SpreadCoordinator(
            addresses: addresses, chunkSize: chunkSize, narrate: plan.narrate)
        // Not a child task: it may be blocked in a read that cannot be interrupted, and must not be awaited.
        Task { await readInput(coordinator) }
        return await withTaskGroup(of: Void.self) { group in
            group.addTask { await coordinator.watchTime() }
            group.addTask { [interruption] in
                for await _ in interruption { return await coordinator.end(.failure(.interrupted)) }
            }
            if let end {
                group.addTask {
                    guard (try? await Task.sleep(until: end)) != nil else { return }
                    await coordinator.end(.failure(.call(.pastDeadline)))
                }
            }
            for (server, client) in clients.enumerated() {
                let worker = SpreadWorker(
                    server: server, client: client, options: plan.options, end: end, coordinator: coordinator)
                group.addTask { await worker.run(calls: Self.callsPerServer) }
            }
            let result: Result<Total, RunFailure>
            do throws(RunFailure) {
                result = .success(try await coordinator.outcome())
            } catch {
                result = .failure(error)
            }
            group.cancelAll()
            return result
        }
    }

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

extension GRPCStatus {
    fileprivate static let pastDeadline = GRPCStatus(
        code: .deadlineExceeded, message: "the deadline has passed")
}
