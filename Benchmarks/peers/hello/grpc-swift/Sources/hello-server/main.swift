import GRPCCore
import GRPCNIOTransportHTTP2
import Glibc
import Stubs

struct Greeter: Hello_V1_Greeter.SimpleServiceProtocol {
    func sayHello(request: Hello_V1_HelloRequest, context: ServerContext) async throws -> Hello_V1_HelloReply
    {
        .with { $0.message = "Hello, \(request.name)!" }
    }

    func sumNumbers(
        request: RPCAsyncSequence<Hello_V1_NumberRequest, any Error>, context: ServerContext
    ) async throws -> Hello_V1_NumberResponse {
        var sum: Int32 = 0
        for try await number in request { sum &+= number.num }
        return .with { [sum] in $0.sum = sum }
    }
}

let port = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 50051
let server = GRPCServer(
    transport: .http2NIOPosix(
        address: .ipv4(host: "127.0.0.1", port: port), transportSecurity: .plaintext),
    services: [Greeter()])
try await withThrowingDiscardingTaskGroup { group in
    group.addTask { try await server.serve() }
    if let port = try await server.listeningAddress?.ipv4?.port {
        print("listening on 127.0.0.1:\(port)")
        fflush(nil)
    }
}
