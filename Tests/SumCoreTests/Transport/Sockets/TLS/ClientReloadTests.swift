import Foundation
import ScriptedPeers
import Testing

@testable import SumCore

/// A client whose files are replaced while it runs.
@Suite(.timeLimit(.minutes(5))) struct ClientReloadTests {
    /// The client's files, in a folder of their own.
    private final class Files {
        let folder = FileManager.default.temporaryDirectory.appending(path: "sum-client-\(UUID())")
        var certificate: URL { folder.appending(path: "cert.pem") }
        var key: URL { folder.appending(path: "key.pem") }
        var roots: URL { folder.appending(path: "ca.pem") }

        init(_ name: String) throws {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try put(name, key: name)
            try put(root: "ca")
        }

        deinit {
            try? FileManager.default.removeItem(at: folder)
        }

        func put(_ name: String, key keyName: String) throws {
            try read("\(name).pem").write(to: certificate, options: .atomic)
            try read("\(keyName)-key.pem").write(to: key, options: .atomic)
        }

        func put(root name: String) throws {
            try read("\(name).pem").write(to: roots, options: .atomic)
        }

        private func read(_ file: String) throws -> Data {
            try Data(contentsOf: URL(filePath: TestCertificates.path(file)))
        }

        func tls(every interval: Duration?) throws -> ClientTLS {
            var configuration = ClientTLS.Configuration()
            configuration.roots = .certificates(.file(roots.path))
            configuration.identity = TLSIdentity(certificate: .file(certificate.path), key: .file(key.path))
            configuration.reloadInterval = interval
            return try ClientTLS(configuration)
        }
    }

    private func mutual() throws -> ServerTLS {
        try .named { $0.clientCAs = try .named("ca") }
    }

    private func failure(_ result: Result<Int32, GRPCStatus>) -> String {
        if case .failure(let status) = result { status.message } else { "" }
    }

    @Test(
        "tls-R3: a new connection uses files that have changed, and what was read before if they are faulty")
    func renewal() async throws {
        let files = try Files("expired")
        let tls = try files.tls(every: .zero)
        try await withTLSServer(mutual()) { server in
            let address = server.addresses[0].description
            #expect(failure(try await tlsSum(address, tls)).hasSuffix("it has expired, or is not valid yet"))
            // Both what is in use and what was to replace it are told.
            try files.put("good", key: "expired")
            let words = failure(try await tlsSum(address, tls))
            #expect(
                words.contains(
                    "it has expired, or is not valid yet (new files cannot be used: the key in \(files.key.path)"
                ),
                "\(words)")
            try files.put("good", key: "good")
            #expect(try await tlsSum(address, tls).get() == 6)
            // A fault does not show while the old certificate does.
            try files.put("rsa", key: "good")
            #expect(try await tlsSum(address, tls).get() == 6)
            try files.put("other-ca-good", key: "other-ca-good")
            #expect(failure(try await tlsSum(address, tls)).contains("CA that the server knows"))
            try files.put("rsa", key: "rsa")
            try files.put(root: "other-ca")
            let stranger = failure(try await tlsSum(address, tls))
            #expect(
                stranger.hasSuffix("is not signed by a CA in \(files.roots.path), or not for this use"),
                "\(stranger)")
        }
    }

    @Test("tls-R3: files are not read before the interval is over, and without one only on request")
    func interval() async throws {
        for interval: Duration? in [.seconds(86_400), nil] {
            let files = try Files("good")
            let tls = try files.tls(every: interval)
            try await withTLSServer(mutual()) { server in
                let address = server.addresses[0].description
                try files.put("other-ca-good", key: "other-ca-good")
                #expect(try await tlsSum(address, tls).get() == 6)
                #expect(try tls.reload())
                #expect(failure(try await tlsSum(address, tls)).contains("CA that the server knows"))
            }
        }
    }

    @Test("tls-R3: a connection that is open keeps the certificate with which it began")
    func runningCalls() async throws {
        let files = try Files("good")
        try await withTLSServer(mutual()) { server in
            var configuration = GRPCClient.Configuration()
            configuration.tls = try files.tls(every: .zero)
            configuration.connectTimeout = .seconds(60)
            let client = GRPCClient(target: Target(server.addresses[0]), configuration: configuration)
            try await client.connect()
            let call = client.sumNumbers()
            try await call.send(contentsOf: [1])
            try files.put("other-ca-good", key: "other-ca-good")
            #expect(try await client.sum(of: [1, 2]) == 3)
            try await call.send(contentsOf: [2])
            #expect(try await call.closeAndReceive() == 3)
            await client.close()
        }
    }

    @Test("tls-T3: a system without CAs is told what to do")
    func noRoots() throws {
        guard Environment.value("SSL_CERT_FILE") == nil,
            Environment.value("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH") == nil
        else { return }
        let error = #expect(throws: TLSConfigurationError.self) {
            try TrustRoots.system.source(systemFiles: ["/nowhere/ca.crt", "/nowhere/ca.pem"])
        }
        #expect(
            error?.description
                == "this system has no CA certificates: install its package ca-certificates, or give the CA of the server "
                + "(--cacert)")
        let source = try TrustRoots.system.source(systemFiles: ["/nowhere/ca.crt", "/dev/null"])
        #expect(source == .file("/dev/null"))
    }
}
