import ArgumentParser
import SumCore

/// The load that our own library makes, and the loops alone. Each prints one line of names and figures.
@main
struct SumBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sum-bench",
        subcommands: [StreamLoad.self, CallLoad.self, StubLoad.self, StubServer.self, LoopTimes.self])
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}

/// How to reach the server.
struct ServerOptions: ParsableArguments {
    @Option(help: "Its port on 127.0.0.1.") var port: Int?
    @Option(help: "Its address, as for sum-client; or the addresses of several, which take turns.")
    var target: String?
    @Option(help: "Connect by TLS, and believe the CAs of this file.") var cacert: String?

    func connect() async throws -> GRPCClient {
        var configuration = GRPCClient.Configuration()
        // Under valgrind, even the start takes seconds.
        configuration.connectTimeout = .seconds(60)
        if let cacert {
            var tls = ClientTLS.Configuration()
            tls.roots = .certificates(.file(cacert))
            configuration.tls = try ClientTLS(tls)
        }
        if let target, target.contains(",") { configuration.loadBalancing = .roundRobin }
        let client = GRPCClient(
            target: try Target(target ?? "127.0.0.1:\(port ?? 50051)"), configuration: configuration)
        try await client.connect()
        return client
    }
}
