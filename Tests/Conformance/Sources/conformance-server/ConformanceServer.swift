import ConformanceMessages
import Foundation
import Logging
import SumCore
import SwiftProtobuf

/// The server that the runner tests. It reads how to serve from standard input, writes its address to standard output,
/// and serves until the runner sends SIGTERM.
@main
struct ConformanceServer {
    static func main() async {
        do {
            try await serve()
        } catch {
            FileHandle.standardError.write(Data("conformance-server: \(error)\n".utf8))
            exit(1)
        }
    }

    private static func serve() async throws {
        guard let request: ServerCompatRequest = try DelimitedMessages(.standardInput).read() else {
            throw Failure(description: "there is no request on standard input")
        }
        guard !request.useTls else { throw Failure(description: "TLS is not supported") }
        var configuration = GRPCServer.Configuration()
        if request.messageReceiveLimit > 0 {
            configuration.maxMessageSize = Int(request.messageReceiveLimit)
        }
        let host = "127.0.0.1"
        let server = try await GRPCServer.start(
            listeningOn: [.host(host, port: 0)], methods: DefinedService().methods,
            configuration: configuration,
            logger: Logger(label: "conformance-server") { StreamLogHandler.standardError(label: $0) })
        let port = server.addresses.first?.port
        let response = ServerCompatResponse.with {
            $0.host = host
            $0.port = UInt32(port ?? 0)
        }
        try DelimitedMessages(.standardOutput).write(response)
        while true { try await Task.sleep(for: .seconds(3600)) }
    }

    private struct Failure: Error, CustomStringConvertible {
        var description: String
    }
}
