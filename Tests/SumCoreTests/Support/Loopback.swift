@testable import SumCore

extension GRPCClient.Configuration {
    /// With all the time to connect that a test may take: the machine may be busy.
    static var patient: Self {
        var configuration = Self()
        configuration.connectTimeout = .seconds(600)
        return configuration
    }
}

/// A server on a free port of the loopback interface while `body` runs, and until its calls have ended.
@discardableResult
func withServer<Result>(
    _ methods: [GRPCMethod] = [SumNumbers.method()], configuration: GRPCServer.Configuration = .init(),
    interceptors: [any ServerInterceptor] = [], observers: [any ServerObserver] = [],
    _ body: (GRPCServer, Target) async throws -> Result
) async throws -> Result {
    let server = try await GRPCServer.start(
        listeningOn: [.host("127.0.0.1", port: 0)], methods: methods, configuration: configuration,
        interceptors: interceptors, observers: observers)
    do {
        let result = try await body(server, Target(server.addresses[0]))
        await server.shutdown(within: .seconds(60))
        return result
    } catch {
        await server.shutdown(within: .zero)
        throw error
    }
}

/// A client with a connection to such a server.
@discardableResult
func withClient<Result>(
    of methods: [GRPCMethod] = [SumNumbers.method()], configuration: GRPCServer.Configuration = .init(),
    _ body: (GRPCClient) async throws -> Result
) async throws -> Result {
    try await withServer(methods, configuration: configuration) { _, target in
        let client = try await GRPCClient.connect(to: target, timeout: .seconds(60))
        do {
            let result = try await body(client)
            await client.close()
            return result
        } catch {
            await client.close()
            throw error
        }
    }
}
