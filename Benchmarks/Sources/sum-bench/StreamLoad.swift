import ArgumentParser
import SumCore

/// One call that streams 1...count, which nothing reads from anywhere: the cost is the library's.
struct StreamLoad: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "stream")

    @OptionGroup var server: ServerOptions
    @Option var count: Int
    @Flag(help: "Send from the client's event loop.") var onLoop = false
    @Option(help: "Calls, one after another; the time is the median one's.") var calls = 1

    /// Numbers handed to the library at once.
    private static let batchSize = 16 << 10

    func run() async throws {
        let client = try await server.connect()
        var times: [Double] = []
        for _ in 0..<calls {
            let clock = ContinuousClock()
            let start = clock.now
            let sum =
                onLoop
                ? try await withTaskExecutorPreference(client.executor) { try await self.sum(on: client) }
                : try await sum(on: client)
            guard sum == Int32(truncatingIfNeeded: count &* (count + 1) / 2) else {
                throw ValidationError("the sum was \(sum)")
            }
            times.append((clock.now - start).seconds)
        }
        let seconds = times.sorted()[times.count / 2]
        print("elapsed_s \(seconds) numbers_per_s \(Double(count) / seconds)")
        await client.close()
    }

    private func sum(on client: GRPCClient) async throws -> Int32 {
        let call = client.sumNumbers()
        var batch = Array(repeating: Int32(0), count: min(Self.batchSize, count))
        var next = 1
        while next <= count {
            if count - next + 1 < batch.count { batch.removeLast(batch.count - (count - next + 1)) }
            fill(&batch, from: next)
            next += batch.count
            try await call.send(contentsOf: batch)
        }
        return try await call.closeAndReceive()
    }

    /// Fills a batch with consecutive numbers, many at once, so that this costs little beside what is measured.
    private func fill(_ batch: inout [Int32], from first: Int) {
        var numbers = batch.mutableSpan
        var number = Int32(truncatingIfNeeded: first)
        for index in numbers.indices {
            numbers[index] = number
            number &+= 1
        }
    }
}
