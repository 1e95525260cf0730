import NIOPosix
import SumCore
import Synchronization

/// One run: connect, stream the input, receive the sum.
final class SumRun: Sendable {
    struct Plan: Sendable {
        var target: Target
        var configuration: GRPCClient.Configuration
        var options: GRPCCallOptions
        var numbers: [Int32]
        var inputs: [Input]
        /// Told what is being done.
        var narrate: @Sendable (String) -> Void
    }

    struct Outcome: Sendable {
        var sum: Int32
        var count: Int
        var elapsed: Duration
    }

    enum Failure: Error {
        case input(InputError)
        case call(GRPCStatus)
        case interrupted
    }

    private let plan: Plan
    private let sent = Atomic(0)
    private let client: GRPCClient
    /// Whatever ends the run first: the sum, a failure of input or call, an interruption.
    private let results: AsyncStream<Result<Outcome, Failure>>
    private let ending: AsyncStream<Result<Outcome, Failure>>.Continuation

    init(_ plan: Plan) {
        self.plan = plan
        client = GRPCClient(target: plan.target, configuration: plan.configuration)
        (results, ending) = AsyncStream.makeStream()
    }

    /// Numbers handed over so far.
    var numbersSent: Int { sent.load(ordering: .relaxed) }

    /// Gives the run up; the call is cancelled on the wire.
    func interrupt() {
        ending.yield(.failure(.interrupted))
    }

    /// Runs, and leaves nothing open.
    func outcome() async -> Result<Outcome, Failure> {
        // Not a child task: it may be blocked in a read that nothing can interrupt.
        Task { ending.yield(await connectAndSum()) }
        var results = results.makeAsyncIterator()
        let outcome = await results.next() ?? .failure(.interrupted)
        await client.close()
        return outcome
    }

    private func connectAndSum() async -> Result<Outcome, Failure> {
        do {
            // The call begins before there is a connection: its deadline counts connecting.
            let call = client.sumNumbers(plan.options)
            reportEarlyEnd(of: call)
            if let peer = await call.peer() { plan.narrate("connected to \(peer)") }
            let clock = ContinuousClock()
            let started = clock.now
            try await send(to: call)
            plan.narrate("sent \(numbersSent) numbers")
            let sum = try await call.closeAndReceive()
            return .success(Outcome(sum: sum, count: numbersSent, elapsed: clock.now - started))
        } catch let status as GRPCStatus {
            return .failure(.call(status))
        } catch let error as InputError {
            return .failure(.input(error))
        } catch {
            return .failure(.input(.io("\(error)")))
        }
    }

    /// A status that comes while the input is still open counts at once, even if a read is waiting for more.
    private func reportEarlyEnd(of call: SumNumbersCall) {
        Task {
            let status = await call.ended()
            if !status.isOK { ending.yield(.failure(.call(status))) }
        }
    }

    private func send(to call: SumNumbersCall) async throws {
        try await send(plan.numbers, to: call)
        guard !plan.inputs.isEmpty else { return }
        // On a thread of its own, which reads may block, and on which reading, parsing and encoding need no hand-over.
        let thread = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        try await withTaskExecutorPreference(EventLoopExecutor(thread.next())) {
            for input in plan.inputs { try await sendAll(of: input, to: call) }
        }
    }

    private func sendAll(of input: Input, to call: SumNumbersCall) async throws {
        var input = try InputReader(input)
        defer { input.close() }
        var numbers: [Int32] = []
        var isOpen = true
        while isOpen {
            isOpen = try input.read(&numbers)
            try await send(numbers, to: call)
        }
    }

    private func send(_ numbers: [Int32], to call: SumNumbersCall) async throws {
        try await call.send(contentsOf: numbers)
        sent.add(numbers.count, ordering: .relaxed)
    }
}
