import Dispatch
import Glibc
import SumCore
import SwiftProtobuf

@main
struct Chat {
    static func main() async {
        let words = Array(CommandLine.arguments.dropFirst())
        do {
            switch words.first {
            case "server": try await serve(port: words.dropFirst().first.flatMap { Int($0) } ?? 50051)
            case "client" where words.count == 3: try await join(words[1], as: words[2])
            default:
                print("usage: chat server [PORT] | chat client ADDRESS NAME")
                exit(64)
            }
        } catch {
            print(error)
            exit(1)
        }
    }

    static func serve(port: Int) async throws {
        let server = try await GRPCServer.start(
            listeningOn: [.host("127.0.0.1", port: port)], methods: ChatService().methods)
        print("listening on \(server.addresses[0])")
        fflush(nil)  // Standard output is buffered when it is a pipe.
        await server.run()
    }

    static func join(_ address: String, as name: String) async throws {
        let client = try await GRPCClient.connect(to: Target(address))
        let call = Chat_V1_Chat.Client(client).join()
        _ = try await call.responseMetadata()
        print("joined")
        fflush(nil)
        // One task says what is typed, while this one shows what is heard. The call ends when both have.
        async let said: Void = {
            for await text in typedLines() {
                try await call.send(
                    .with {
                        $0.from = name
                        $0.text = text
                    })
            }
            call.finish()
        }()
        for try await line in call.responses {
            print("\(line.from): \(line.text)")
            fflush(nil)
        }
        try await said
        await client.close()
    }

    /// The lines of standard input, which are read on a thread of their own because reading blocks.
    static func typedLines() -> AsyncStream<String> {
        AsyncStream { lines in
            DispatchQueue.global().async {
                while let line = readLine() { lines.yield(line) }
                lines.finish()
            }
        }
    }
}
