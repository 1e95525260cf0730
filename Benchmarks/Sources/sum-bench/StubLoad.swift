import ArgumentParser
import BenchStubs
import SumCore

/// Many short calls, or one long one, through generated code, or the same written by hand.
struct StubLoad: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "stubs")

    enum Method: String, ExpressibleByArgument { case hello, sum, batch }

    @Argument(help: "'hello' has one message in each direction, 'sum' and 'batch' a stream of numbers.")
    var method: Method
    @OptionGroup var load: LoadOptions
    @Option(help: "The numbers 1...K in each call.") var numbers: Int32 = 10
    @Flag(help: "Call without the generated client.") var byHand = false

    func run() async throws {
        let (method, numbers, byHand) = (method, numbers, byHand)
        let expected = Int32(truncatingIfNeeded: Int64(numbers) * (Int64(numbers) + 1) / 2)
        try await load.run { client in
            switch method {
            case .hello:
                let message =
                    try await byHand ? helloByHand(client) : hello(Hello_V1_Greeter.Client(client))
                guard message == "Hello, world!" else { throw ValidationError("the reply was '\(message)'") }
            case .sum, .batch:
                let sum = try await sum(begin(method, on: client, byHand: byHand), to: numbers)
                guard sum == expected else { throw ValidationError("the sum was \(sum), not \(expected)") }
            }
        }
    }
}

private typealias NumbersCall = GRPCClientCall<Hello_V1_NumberRequest, Hello_V1_NumberResponse>

private func hello(_ greeter: Hello_V1_Greeter.Client) async throws -> String {
    try await greeter.sayHello(.with { $0.name = "world" }).message
}

private func helloByHand(_ client: GRPCClient) async throws -> String {
    let call = client.call(
        "/hello.v1.Greeter/SayHello", sending: Hello_V1_HelloRequest.self,
        receiving: Hello_V1_HelloReply.self)
    try await call.send(.with { $0.name = "world" })
    return try await call.closeAndReceive().message
}

private func begin(_ method: StubLoad.Method, on client: GRPCClient, byHand: Bool) -> NumbersCall {
    switch (method == .batch, byHand) {
    case (false, false): Hello_V1_Greeter.Client(client).sumNumbers()
    case (true, false): Batch_V1_Adder.Client(client).sumNumbers()
    case (false, true): client.call("/hello.v1.Greeter/SumNumbers")
    case (true, true): client.call("/batch.v1.Adder/SumNumbers")
    }
}

private func sum(_ call: NumbersCall, to last: Int32) async throws -> Int32 {
    try await call.send(contentsOf: (1...last).lazy.map { number in .with { $0.num = number } })
    return try await call.closeAndReceive().sum
}
