import GRPCCore
import GRPCNIOTransportHTTP2
import Stubs

// hello-load --port PORT [--calls N] [--concurrency N] [--numbers K] METHOD: many calls, a fixed number of them at once,
// over one connection.
let words = Array(CommandLine.arguments.dropFirst())

func option(_ name: String, _ standard: Int) -> Int {
    words.firstIndex(of: "--" + name).flatMap { Int(words[$0 + 1]) } ?? standard
}

struct Wrong: Error {
    var answer: String
}

typealias Greeter = Hello_V1_Greeter.Client<HTTP2ClientTransport.Posix>

func hello(_ greeter: Greeter) async throws {
    let reply = try await greeter.sayHello(.with { $0.name = "world" })
    guard reply.message == "Hello, world!" else { throw Wrong(answer: reply.message) }
}

func sum(_ greeter: Greeter, to last: Int) async throws {
    let response = try await greeter.sumNumbers { writer in
        for number in 1...last {
            try await writer.write(.with { $0.num = Int32(truncatingIfNeeded: number) })
        }
    }
    guard response.sum == Int32(truncatingIfNeeded: last * (last + 1) / 2) else {
        throw Wrong(answer: "\(response.sum)")
    }
}

let (calls, concurrency, numbers) = (option("calls", 1), option("concurrency", 1), option("numbers", 10))
let method = words.last
try await withGRPCClient(
    transport: .http2NIOPosix(
        target: .ipv4(address: "127.0.0.1", port: option("port", 0)), transportSecurity: .plaintext)
) { client in
    let greeter = Greeter(wrapping: client)
    try await hello(greeter)
    let clock = ContinuousClock()
    let start = clock.now
    let latencies = try await withThrowingTaskGroup(of: [Double].self) { group in
        for worker in 0..<concurrency {
            let share = calls / concurrency + (worker < calls % concurrency ? 1 : 0)
            group.addTask {
                var latencies: [Double] = []
                for _ in 0..<share {
                    let start = clock.now
                    if method == "hello" {
                        try await hello(greeter)
                    } else {
                        try await sum(greeter, to: numbers)
                    }
                    latencies.append((clock.now - start) / .microseconds(1))
                }
                return latencies
            }
        }
        var latencies: [Double] = []
        for try await some in group { latencies += some }
        return latencies.sorted()
    }
    let seconds = (clock.now - start) / .seconds(1)
    let (median, worst) = (latencies[latencies.count / 2], latencies[latencies.count * 99 / 100])
    print("calls_per_s \(Double(calls) / seconds) p50_us \(median) p99_us \(worst) elapsed_s \(seconds)")
}
