import GRPCCore
import GRPCNIOTransportHTTP2
import Stubs

let port = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 50051
try await withGRPCClient(
    transport: .http2NIOPosix(
        target: .ipv4(address: "127.0.0.1", port: port), transportSecurity: .plaintext)
) { client in
    let greeter = Hello_V1_Greeter.Client(wrapping: client)

    let reply = try await greeter.sayHello(.with { $0.name = "world" })
    print(reply.message)

    let response = try await greeter.sumNumbers { writer in
        for number: Int32 in 1...10 {
            try await writer.write(.with { $0.num = number })
        }
    }
    print("sum: \(response.sum)")
}
