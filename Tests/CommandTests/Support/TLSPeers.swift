import ScriptedPeers

@testable import SumCore

/// Our server or client with the tests' certificates, limited to one version of TLS, which the tools have no option for.
enum TLSPeers {
    private static func source(_ name: String) throws -> PEMSource {
        .file(try TestCertificates.path("\(name).pem"))
    }

    private static func identity(_ name: String) throws -> TLSIdentity {
        TLSIdentity(certificate: try source(name), key: try source("\(name)-key"))
    }

    /// Runs `body` with the address of a server.
    static func withServer(
        _ name: String, _ version: TLSMinimum, clientCA: String? = nil, _ body: (String) async throws -> Void
    ) async throws {
        var configuration = ServerTLS.Configuration(
            identity: try identity(name), clientCAs: try clientCA.map { try source($0) })
        (configuration.minimum, configuration.maximum) = (version, version)
        let server = try await GRPCServer.start(
            listeningOn: [ListenEndpoint(.host("127.0.0.1", port: 0), tls: try ServerTLS(configuration))],
            methods: [SumNumbers.method()])
        let result: Result<Void, any Error>
        do { result = .success(try await body(server.addresses[0].description)) } catch {
            result = .failure(error)
        }
        await server.shutdown(within: .zero)
        try result.get()
    }

    /// Why the first attempt to connect has failed.
    private final class FirstFailure: ClientObserver {
        let (reasons, reason) = AsyncStream.makeStream(of: String.self)

        func connectionFailed(_ peer: Peer, _ reason: String) { self.reason.yield(reason) }
    }

    /// A client that believes the tests' CA.
    ///
    /// - Parameters:
    ///   - version: the only version of TLS it speaks; nil: any.
    ///   - name: its certificate.
    static func client(
        of target: String, _ version: TLSMinimum? = nil, as name: String? = nil,
        observers: [any ClientObserver] = []
    ) throws -> GRPCClient {
        var tls = ClientTLS.Configuration()
        tls.roots = .certificates(try source("ca"))
        tls.identity = try name.map { try identity($0) }
        if let version { (tls.minimum, tls.maximum) = (version, version) }
        var configuration = GRPCClient.Configuration()
        configuration.tls = try ClientTLS(tls)
        configuration.proxy = .none
        configuration.connectTimeout = .seconds(Tool.limit)
        configuration.observers = observers
        return GRPCClient(target: try Target(target), configuration: configuration)
    }

    /// The sum of 1, 2 and 3 from a server whose certificate the tests' CA must have signed, or why the first attempt to
    /// connect has failed.
    ///
    /// - Parameter name: the client's certificate.
    static func sum(
        _ target: String, _ version: TLSMinimum, as name: String? = nil
    ) async throws -> (sum: Int32?, failure: String) {
        let observer = FirstFailure()
        let client = try client(of: target, version, as: name, observers: [observer])
        // A failure that may be gone next time is tried again, until the client is closed.
        async let failure = observer.reasons.first { _ in
            await client.close()
            return true
        }
        let sum = try? await client.sum(of: [1, 2, 3])
        observer.reason.finish()
        let words = await failure
        await client.close()
        return (sum, words ?? "")
    }
}
