import BenchStubs
import Glibc
import SumCore

struct Greeter: Hello_V1_Greeter.Service {
    func sayHello(request: Hello_V1_HelloRequest, call: AsyncServerCall) async throws -> Hello_V1_HelloReply {
        .with { $0.message = "Hello, \(request.name)!" }
    }

    func sumNumbers(
        requests: GRPCRequests<Hello_V1_NumberRequest>, call: AsyncServerCall
    ) async throws -> Hello_V1_NumberResponse {
        var sum: Int32 = 0
        for try await request in requests { sum &+= request.num }
        return .with { [sum] in $0.sum = sum }
    }
}

let port = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 50051
let server = try await GRPCServer.start(
    listeningOn: [.host("127.0.0.1", port: port)], methods: Greeter().methods)
print("listening on \(server.addresses[0])")
fflush(nil)
await server.run()
