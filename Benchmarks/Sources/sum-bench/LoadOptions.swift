import ArgumentParser
import Glibc
import SumCore

/// Many calls, a fixed number of them at once.
struct LoadOptions: ParsableArguments {
    @OptionGroup var server: ServerOptions
    @Option var calls: Int
    @Option var concurrency = 64
    @Option var connections = 1

    /// Makes the calls, and prints how many there were in a second, and how long each took. `call` stays on the executor of
    /// its task, since a change of executors costs as much as a tenth of a call.
    func run(
        _ call: nonisolated(nonsending) @escaping @Sendable (GRPCClient) async throws -> Void
    ) async throws {
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
                    var latencies: [Double] = []
                    for _ in 0..<share {
                        let start = nanoseconds()
                        try await call(client)
                        latencies.append(Double(nanoseconds() - start) / 1e3)
                    }
                    return latencies
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }.sorted()
        }
        let seconds = (clock.now - start).seconds
        let (median, worst) = (latencies[latencies.count / 2], latencies[latencies.count * 99 / 100])
        print("calls_per_s \(Double(calls) / seconds) p50_us \(median) p99_us \(worst) elapsed_s \(seconds)")
        for client in clients { await client.close() }
    }
}

/// The time of a clock that only goes forward. A `Duration` would cost a call several hundred instructions of arithmetic.
private func nanoseconds() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
}
