import Foundation
import SumCore
import SwiftProtobuf

/// Serves, or calls, a method behind TLS that only callers with a token may call.
@main
struct TLSEcho {
    static func main() async {
        let words = Array(CommandLine.arguments.dropFirst())
        do {
            switch (words.first, words.count) {
            case ("server", 2...3):
                try await serve(folder: words[1], port: words.dropFirst(2).first.flatMap { Int($0) } ?? 50051)
            case ("client", 5): try await say(words[4], to: words[1], folder: words[2], token: words[3])
            default:
                print("usage: tls-echo server FOLDER [PORT] | tls-echo client ADDRESS FOLDER TOKEN TEXT")
                exit(64)
            }
        } catch {
            print(error)
            exit(1)
        }
    }

    static func serve(folder: String, port: Int) async throws {
        let identity = TLSIdentity(
            certificate: .file("\(folder)/server.pem"), key: .file("\(folder)/server-key.pem"))
        let tls = try ServerTLS(.init(identity: identity))
        // Who has which token. Tokens are compared in a time that does not depend on them.
        let tokens = try TokenTable(Data(contentsOf: URL(filePath: "\(folder)/tokens")))
        var configuration = GRPCServer.Configuration()
        configuration.authorize = CallerPolicy(tokens: tokens).authorizer
        let server = try await GRPCServer.start(
            listeningOn: [ListenEndpoint(.host("localhost", port: port), tls: tls)],
            methods: Echo().methods, configuration: configuration)
        print("listening on \(server.addresses[0])")
        fflush(nil)  // Standard output is buffered when it is a pipe.
        await server.run()
    }

    static func say(_ text: String, to address: String, folder: String, token: String) async throws {
        var tls = ClientTLS.Configuration()
        tls.roots = .certificates(.file("\(folder)/ca.pem"))
        var configuration = GRPCClient.Configuration()
        configuration.tls = try ClientTLS(tls)
        // It is sent only when the server's certificate has been verified.
        configuration.credentials = CallCredentials(token: token)
        let client = GRPCClient(target: try Target(address), configuration: configuration)
        print(try await Echo_V1_Echo.Client(client).say(.with { $0.text = text }).text)
        await client.close()
    }
}

struct Echo: Echo_V1_Echo.Service {
    func say(request: Echo_V1_Words, call: AsyncServerCall) async throws -> Echo_V1_Words {
        .with { $0.text = "\(call.context.peer.principal ?? "somebody") said: \(request.text)" }
    }
}
