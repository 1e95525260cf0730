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
        /// Receives a description of each step, for `--verbose`.
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
    /// What ended the run: the sum, an error of the input or the call, or an interruption. The first result counts.
    private let results: AsyncStream<Result<Outcome, Failure>>
    private let ending: AsyncStream<Result<Outcome, Failure>>.Continuation

    init(_ plan: Plan) {
        self.plan = plan
        client = GRPCClient(target: plan.target, configuration: plan.configuration)
        (results, ending) = AsyncStream.makeStream()
    }

    /// Numbers queued for sending so far.
    var numbersSent: Int { sent.load(ordering: .relaxed) }

    /// Ends the run; the call is cancelled on the wire.
    func interrupt() {
        ending.yield(.failure(.interrupted))
    }

    /// Performs the run, and closes the client.
    func outcome() async -> Result<Outcome, Failure> {
        // Not a child task: it may be blocked in a read that cannot be interrupted, and must not be awaited.
        Task { ending.yield(await connectAndSum()) }
        var results = results.makeAsyncIterator()
        let outcome = await results.next() ?? .failure(.interrupted)
        await client.close()
        return outcome
    }

    private func connectAndSum() async -> Result<Outcome, Failure> {
        do {
            // The call begins before there is a connection, so that its deadline includes connecting.
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

    /// Ends the run as soon as the call fails, even while a read is waiting for more input.
    private func reportEarlyEnd(of call: SumNumbersCall) {
        Task {
            let status = await call.ended()
            if !status.isOK { ending.yield(.failure(.call(status))) }
        }
    }

    private func send(to call: SumNumbersCall) async throws {
        try await send(plan.numbers, to: call)
        guard !plan.inputs.isEmpty else { return }
        // On a thread of its own, which reads may block, and which does the reading, parsing and encoding without
        // switching threads.
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
