import InMemoryLogging
import Logging
import ScriptedPeers

@testable import SumCore

extension TLSIdentity {
    /// One of the tests' certificates with its key.
    static func named(_ name: String) throws -> TLSIdentity {
        TLSIdentity(
            certificate: .file(try TestCertificates.path("\(name).pem")),
            key: .file(try TestCertificates.path("\(name)-key.pem")))
    }
}

extension PEMSource {
    static func named(_ name: String) throws -> PEMSource { .file(try TestCertificates.path("\(name).pem")) }
}

extension ServerTLS {
    static func named(
        _ name: String = "good", _ change: (inout Configuration) throws -> Void = { _ in }
    ) throws -> ServerTLS {
        var configuration = Configuration(identity: try .named(name))
        try change(&configuration)
        return try ServerTLS(configuration)
    }
}

extension ClientTLS {
    /// A client that believes the tests' CA.
    static func trusting(
        _ ca: String = "ca", _ change: (inout Configuration) throws -> Void = { _ in }
    ) throws -> ClientTLS {
        var configuration = Configuration()
        configuration.roots = .certificates(try .named(ca))
        try change(&configuration)
        return try ClientTLS(configuration)
    }
}

/// A server that speaks TLS on a free port of the loopback interface while `body` runs.
func withTLSServer<Result>(
    _ tls: ServerTLS?, methods: [GRPCMethod] = [SumNumbers.method()], limits: ServerLimits = .init(),
    log: InMemoryLogHandler = InMemoryLogHandler(), _ body: (GRPCServer) async throws -> Result
) async throws -> Result {
    let server = try await GRPCServer.start(
        listeningOn: [ListenEndpoint(.host("127.0.0.1", port: 0), tls: tls)], methods: methods,
        configuration: limits, logger: Logger(label: "test") { _ in log })
    do {
        let result = try await body(server)
        await server.shutdown(within: .seconds(60))
        return result
    } catch {
        await server.shutdown(within: .zero)
        throw error
    }
}

/// The sum of 1, 2 and 3, or why there is none.
func tlsSum(
    _ target: String, _ tls: ClientTLS?, observers: [any ClientObserver] = []
) async throws -> Result<Int32, GRPCStatus> {
    var configuration = GRPCClient.Configuration()
    configuration.tls = tls
    configuration.proxy = .none
    configuration.connectTimeout = .seconds(60)
    configuration.observers = observers
    let client = GRPCClient(target: try Target(target), configuration: configuration)
    let call = client.sumNumbers()
    do throws(GRPCStatus) {
        try? await call.send(contentsOf: [1, 2, 3])
        let sum = try await call.closeAndReceive()
        await client.close()
        return .success(sum)
    } catch {
        await client.close()
        return .failure(error)
    }
}
