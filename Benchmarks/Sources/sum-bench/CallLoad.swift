import ArgumentParser
import SumCore

/// Many short calls, a fixed number of them at once.
struct CallLoad: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "calls")

    @OptionGroup var server: ServerOptions
    @Option var calls: Int
    @Option var concurrency = 64
    @Option var connections = 1
    @Option(help: "The numbers 1...K in each call.") var numbers = 10

    func run() async throws {
        var clients: [GRPCClient] = []
        for _ in 0..<connections {
            clients.append(try await server.connect())
        }
        let clock = ContinuousClock()
        let start = clock.now
        let latencies = try await withThrowingTaskGroup(of: [Double].self) { group in
            for worker in 0..<concurrency {
                let client = clients[worker % connections]
                let share = calls / concurrency + (worker < calls % concurrency ? 1 : 0)
                group.addTask(executorPreference: client.executor) {
                    try await makeCalls(share, on: client, clock)
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }.sorted()
        }
        let seconds = (clock.now - start).seconds
        let (median, worst) = (latencies[latencies.count / 2], latencies[latencies.count * 99 / 100])
        print("calls_per_s \(Double(calls) / seconds) p50_us \(median) p99_us \(worst) elapsed_s \(seconds)")
        for client in clients { await client.close() }
    }

    /// - Returns: the microseconds that each took.
    private func makeCalls(_ count: Int, on client: GRPCClient, _ clock: ContinuousClock) async throws
        -> [Double]
    {
        let sent = (1...numbers).map { Int32($0) }
        let expected = sent.reduce(0, +)
        var latencies: [Double] = []
        for _ in 0..<count {
            let start = clock.now
            let sum = try await client.sum(of: sent)
            guard sum == expected else { throw ValidationError("the sum was \(sum), not \(expected)") }
            latencies.append((clock.now - start).seconds * 1e6)
        }
        return latencies
    }
}
