import ArgumentParser
import BenchStubs
import Glibc
import SumCore

/// Serves the same methods through generated code or by hand, and the library's own SumNumbers, until it is stopped.
struct StubServer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "serve")

    @Option var port = 0
    @Flag(help: "Host the methods without the generated protocols.") var byHand = false

    func run() async throws {
        let methods = byHand ? methodsByHand : Greeter().methods + Adder().methods
        let server = try await GRPCServer.start(
            listeningOn: [.host("127.0.0.1", port: port)],
            methods: methods + [SumNumbers.method(overflow: .wrap)])
        print("listening on \(server.addresses[0])")
        fflush(nil)  // Standard output is buffered when it is a pipe.
        await server.run()
    }
}

private struct Greeter: Hello_V1_Greeter.Service {
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

private struct Adder: Batch_V1_Adder.Service {
    func sumNumbers(
        context: ServerCallContext
    ) throws(GRPCStatus) -> GRPCBatchCall<Hello_V1_NumberRequest, Hello_V1_NumberResponse> {
        GRPCBatchCall(context, startingWith: Int32(0)) { sum, requests in
            for request in requests { sum &+= request.num }
        } answer: { sum in
            .with { $0.sum = sum }
        }
    }
}

private let methodsByHand: [GRPCMethod] = [
    .unary(path: "/hello.v1.Greeter/SayHello") { (request: Hello_V1_HelloRequest, _) in
        Hello_V1_HelloReply.with { $0.message = "Hello, \(request.name)!" }
    },
    .clientStreaming(path: "/hello.v1.Greeter/SumNumbers") {
        (requests: GRPCRequests<Hello_V1_NumberRequest>, _) in
        var sum: Int32 = 0
        for try await request in requests { sum &+= request.num }
        return Hello_V1_NumberResponse.with { [sum] in $0.sum = sum }
    },
    .batchwise(path: "/batch.v1.Adder/SumNumbers") {
        context throws(GRPCStatus) -> GRPCBatchCall<Hello_V1_NumberRequest, Hello_V1_NumberResponse> in
        GRPCBatchCall(context, startingWith: Int32(0)) { sum, requests in
            for request in requests { sum &+= request.num }
        } answer: { sum in
            .with { $0.sum = sum }
        }
    },
]
