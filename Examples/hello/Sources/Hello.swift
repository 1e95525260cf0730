import Glibc
import SumCore
import SwiftProtobuf

/// Serves, or calls, a method with one message in each direction.
@main
struct Hello {
    static func main() async {
        let words = CommandLine.arguments.dropFirst()
        do {
            switch words.first {
            case "server": try await serve(port: words.dropFirst().first.flatMap { Int($0) } ?? 50051)
            case "client": try await greet(Array(words.dropFirst()))
            default: throw Usage()
            }
        } catch {
            print(error)
            exit(1)
        }
    }

    static func serve(port: Int) async throws {
        let server = try await GRPCServer.start(
            listeningOn: [.host("127.0.0.1", port: port)], methods: Greeter().methods)
        print("listening on \(server.addresses[0])")
        fflush(nil)  // Standard output is buffered when it is a pipe.
        await server.run()
    }

    static func greet(_ words: [String]) async throws {
        guard words.count == 2 else { throw Usage() }
        let client = try await GRPCClient.connect(to: Target(words[0]))
        let greeter = Hello_V1_Greeter.Client(client)
        let response = try await greeter.greet(
            .with { $0.name = words[1] }, options: .init(timeout: .seconds(5)))
        print(response.text)
        await client.close()
    }
}

/// The service.
struct Greeter: Hello_V1_Greeter.Service {
    func greet(request: Hello_V1_GreetRequest, call: AsyncServerCall) async throws -> Hello_V1_GreetResponse {
        guard !request.name.isEmpty else {
            throw GRPCStatus(code: .invalidArgument, message: "a greeting needs a name")
        }
        return .with { $0.text = "Hello, \(request.name)!" }
    }
}

struct Usage: Error, CustomStringConvertible {
    let description = "usage: hello server [PORT] | hello client ADDRESS NAME"
}
