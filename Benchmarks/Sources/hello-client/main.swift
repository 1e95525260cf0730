import BenchStubs
import SumCore

let port = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 50051
let client = try await GRPCClient.connect(to: Target("127.0.0.1:\(port)"))
let greeter = Hello_V1_Greeter.Client(client)

let reply = try await greeter.sayHello(.with { $0.name = "world" })
print(reply.message)

let call = greeter.sumNumbers()
for number: Int32 in 1...10 {
    try await call.send(.with { $0.num = number })
}
let response = try await call.closeAndReceive()
print("sum: \(response.sum)")
await client.close()
