import SumCore
import Synchronization

/// A run of one call.
final class SumRun: Run {
    private let plan: RunPlan
    private let sent = Atomic(0)
    private let client: GRPCClient
    /// What ended the run: the sum, an error of the input or the call, or an interruption. The first result counts.
    private let results: AsyncStream<Result<RunOutcome, RunFailure>>
    private let ending: AsyncStream<Result<RunOutcome, RunFailure>>.Continuation

    init(_ plan: RunPlan) {
        self.plan = plan
        client = GRPCClient(target: plan.target, configuration: plan.configuration)
        (results, ending) = AsyncStream.makeStream()
    }

    var numbersSent: Int { sent.load(ordering: .relaxed) }

    func interrupt() {
        ending.yield(.failure(.interrupted))
    }

    func outcome() async -> Result<RunOutcome, RunFailure> {
        // Not a child task: it may wait for a read that cannot be interrupted, and must not be awaited.
        Task(executorPreference: client.executor) { [self] in ending.yield(await connectAndSum()) }
        var results = results.makeAsyncIterator()
        let outcome = await results.next() ?? .failure(.interrupted)
        await client.close()
        return outcome
    }

    private func connectAndSum() async -> Result<RunOutcome, RunFailure> {
        do {
            // The call begins before there is a connection, so that its deadline includes connecting.
            let call = client.sumNumbers(plan.options)
            reportEarlyEnd(of: call)
            let peer = await call.peer()
            if let peer { plan.narrate("connected to \(peer)") }
            let clock = ContinuousClock()
            let started = clock.now
            try await send(to: call)
            if peer != nil { plan.narrate("sent \(numbersSent) numbers") }
            let sum = try await call.closeAndReceive()
            return .success(RunOutcome(sum: sum, count: numbersSent, elapsed: clock.now - started))
        } catch {
            return .failure(RunFailure(error))
        }
    }

    /// Ends the run as soon as the call fails, even while a read is waiting for more input.
    private func reportEarlyEnd(of call: SumNumbersCall) {
        Task(executorPreference: client.executor) { [ending] in
            let status = await call.ended()
            if !status.isOK { ending.yield(.failure(.call(status))) }
        }
    }

    private func send(to call: SumNumbersCall) async throws {
        try await send(plan.numbers, to: call)
        try await plan.inputs.readAll { try await self.send($0, to: call) }
    }

    private func send(_ numbers: [Int32], to call: SumNumbersCall) async throws {
        try await call.send(contentsOf: numbers)
        sent.add(numbers.count, ordering: .relaxed)
    }
}
