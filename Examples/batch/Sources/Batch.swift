import Foundation
import SumCore
import SwiftProtobuf

/// Streams millions of small messages to a method that takes them in batches.
@main
struct Batch {
    static func main() async {
        let words = Array(CommandLine.arguments.dropFirst())
        do {
            switch (words.first, words.count == 3 ? Int64(words[2]) : nil) {
            case ("server", _): try await serve(port: words.dropFirst().first.flatMap { Int($0) } ?? 50051)
            case ("client", let count?) where count >= 0: try await summarize(count, at: words[1])
            default:
                print("usage: batch server [PORT] | batch client ADDRESS COUNT")
                exit(64)
            }
        } catch {
            print(error)
            exit(1)
        }
    }

    static func serve(port: Int) async throws {
        let server = try await GRPCServer.start(
            listeningOn: [.host("127.0.0.1", port: port)], methods: Statistics().methods)
        print("listening on \(server.addresses[0])")
        fflush(nil)  // Standard output is buffered when it is a pipe.
        await server.run()
    }

    static func summarize(_ count: Int64, at address: String) async throws {
        let client = try await GRPCClient.connect(to: Target(address))
        let start = ContinuousClock.now
        let call = Statistics_V1_Statistics.Client(client).summarize()
        // A sequence makes its messages when they are sent: all of them at once would need gigabytes.
        try await call.send(contentsOf: (0..<count).lazy.map { value in .with { $0.value = value } })
        let summary = try await call.closeAndReceive()
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        print("\(summary.count) samples from \(summary.least) to \(summary.greatest), sum \(summary.sum)")
        FileHandle.standardError.write(Data("\(Int(Double(count) / seconds)) per second\n".utf8))
        await client.close()
    }
}

/// The generator was told `Batchwise=statistics.v1.Statistics/Summarize`.
struct Statistics: Statistics_V1_Statistics.Service {
    /// The closures run on the event loop: no task, no message that is waited for.
    func summarize(
        context: ServerCallContext
    ) throws(GRPCStatus) -> GRPCBatchCall<Statistics_V1_Sample, Statistics_V1_Summary> {
        GRPCBatchCall(context, startingWith: Statistics_V1_Summary()) { summary, samples in
            for sample in samples { try summary.add(sample.value) }
        } answer: { summary in
            summary
        }
    }
}

extension Statistics_V1_Summary {
    mutating func add(_ value: Int64) throws(GRPCStatus) {
        let (total, overflows) = sum.addingReportingOverflow(value)
        guard !overflows else { throw GRPCStatus(code: .outOfRange, message: "the sum does not fit int64") }
        least = count == 0 ? value : min(least, value)
        greatest = count == 0 ? value : max(greatest, value)
        count += 1
        sum = total
    }
}
