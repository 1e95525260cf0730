import InMemoryLogging
import Synchronization
import Testing

@testable import SumCore

/// Our client and our server, with every kind of certificate at either end.
@Suite(.timeLimit(.minutes(5))) struct TLSMatrixTests {
    /// The versions that both ends are limited to.
    private static let bothVersions: [TLSMinimum] = [.v1_2, .v1_3]

    @Test(
        "tls-C1: a client believes only a server whose certificate is signed, valid now, and for its name",
        arguments: [
            ("good", "ca", nil), ("rsa", "ca", nil), ("chain", "ca", nil), ("server-only", "ca", nil),
            ("self-signed", "self-signed", nil),
            (
                "good", "other-ca",
                "(localhost, 127.0.0.1, ::1, spiffe://example.org/adder, ...) is not signed by a CA in"
            ),
            ("other-ca-good", "ca", "is not signed by a CA in"),
            ("leaf", "ca", "is not signed by a CA in"),
            ("expired", "ca", "expired on 2021-01-01T00:00:00Z"),
            ("not-yet", "ca", "is not valid before 2098-01-01T00:00:00Z: is the clock right?"),
            (
                "wrong-name", "ca",
                "(other.example) is not for localhost: give the name it has with --server-name"
            ),
            ("no-names", "ca", "(without names) is not for localhost"),
            ("client-only", "ca", "or not for this use"),
            ("self-signed", "ca", "is self-signed, and not among the CAs in"),
        ], bothVersions)
    func serverCertificates(_ row: (server: String, ca: String, reason: String?), _ version: TLSMinimum)
        async throws
    {
        let server = try ServerTLS.named(row.server) { $0.maximum = version }
        try await withTLSServer(server) { server in
            let port = server.addresses[0].port ?? 0
            let result = try await tlsSum("localhost:\(port)", .trusting(row.ca))
            switch (result, row.reason) {
            case (.success(let sum), nil): #expect(sum == 6)
            case (.failure(let status), let reason?):
                #expect(status.code == .unavailable)
                #expect(status.message.contains(reason), "\(status)")
                #expect(
                    !status.message.contains("OPENSSL") && !status.message.contains("NIOSSL"), "\(status)")
            case (.success, _?): Issue.record("it was believed")
            case (.failure(let status), nil): Issue.record("\(status)")
            }
        }
    }

    @Test(
        "tls-S1: a server serves only clients whose certificate is signed, valid now, and for clients",
        arguments: [
            ("good", nil, ""), ("rsa", nil, ""), ("chain", nil, ""), ("client-only", nil, ""),
            ("wrong-name", nil, ""),
            (nil, "client certificate", "the client has shown no certificate"),
            ("other-ca-good", "CA that the server knows", "is not signed by a CA in"),
            ("expired", "it has expired", "expired on 2021-01-01T00:00:00Z"),
            ("not-yet", "not valid yet", "is not valid before 2098-01-01T00:00:00Z"),
            ("server-only", "clientAuth", "or not for this use"),
            (
                "self-signed", "the server refused this client's certificate",
                "is self-signed, and not among the CAs"
            ),
        ] as [(String?, String?, String)], bothVersions)
    func clientCertificates(_ row: (name: String?, reason: String?, log: String), _ version: TLSMinimum)
        async throws
    {
        let log = InMemoryLogHandler()
        let server = try ServerTLS.named {
            $0.clientCAs = try .named("ca")
            $0.maximum = version
        }
        let client = try ClientTLS.trusting { $0.identity = try row.name.map { try .named($0) } }
        try await withTLSServer(server, log: log) { server in
            let result = try await tlsSum(server.addresses[0].description, client)
            switch (result, row.reason) {
            case (.success(let sum), nil): #expect(sum == 6)
            case (.failure(let status), let reason?):
                #expect(status.code == .unavailable)
                #expect(status.message.contains(reason), "\(status)")
            case (.success, _?): Issue.record("it was served")
            case (.failure(let status), nil): Issue.record("\(status)")
            }
        }
        // Once more for each attempt that the client makes before it is closed.
        #expect(Set(log.operatorLines).count == (row.reason == nil ? 0 : 1), "\(log.operatorLines)")
        #expect(log.operatorLines.first?.contains(row.log) != false, "\(log.operatorLines)")
    }

    @Test(
        "tls-S2: where certificates are optional, a client may show none, but no bad one",
        arguments: bothVersions)
    func optional(_ version: TLSMinimum) async throws {
        let server = try ServerTLS.named {
            $0.clientCAs = try .named("ca")
            $0.clientCertificate = .optional
            $0.maximum = version
        }
        try await withTLSServer(server) { server in
            let address = server.addresses[0].description
            #expect(try await tlsSum(address, .trusting()).get() == 6)
            #expect(try await tlsSum(address, .trusting { $0.identity = try .named("good") }).get() == 6)
            let bad = try await tlsSum(address, .trusting { $0.identity = try .named("expired") })
            #expect(throws: GRPCStatus.self) { try bad.get() }
        }
    }

    @Test("tls-C2: versions without overlap are named at both ends")
    func versions() async throws {
        let log = InMemoryLogHandler()
        try await withTLSServer(try .named { $0.minimum = .v1_3 }, log: log) { server in
            let old = try await tlsSum(server.addresses[0].description, .trusting { $0.maximum = .v1_2 })
            let error = #expect(throws: GRPCStatus.self) { try old.get() }
            #expect(
                error?.message.contains("the server speaks no version of TLS that this client does") == true)
            #expect(try await tlsSum(server.addresses[0].description, .trusting()).get() == 6)
        }
        // Once more for each attempt that the client makes before it is closed. The same below.
        #expect(Set(log.operatorLines) == ["the client speaks no version of TLS from 1.3 on"])
    }

    @Test("tls-C3: an address is verified as an address, a name as a name, whatever the socket's address is")
    func names() async throws {
        try await withTLSServer(.named("good")) { server in
            let port = server.addresses[0].port ?? 0
            #expect(try await tlsSum("127.0.0.1:\(port)", .trusting()).get() == 6)
            #expect(try await tlsSum("dns:///localhost:\(port)", .trusting()).get() == 6)
            // The certificate has the socket's address, but that is not what was asked for.
            let wrong = try await tlsSum(
                server.addresses[0].description, .trusting { $0.serverName = "sum.example" })
            let error = #expect(throws: GRPCStatus.self) { try wrong.get() }
            #expect(error?.message.contains("is not for sum.example") == true)
        }
        try await withTLSServer(.named("wildcard")) { server in
            let named = try ClientTLS.trusting { $0.serverName = "a.sum.example" }
            #expect(try await tlsSum(server.addresses[0].description, named).get() == 6)
        }
    }

    /// Counts the attempts to connect that have failed when a call ends.
    private final class FailureCount: ClientObserver {
        let value = Atomic(0)
        let atEndOfCall = Atomic(0)

        func connectionFailed(_ peer: Peer, _ reason: String) {
            value.add(1, ordering: .relaxed)
        }

        func callEnded(_ call: ClientCallRecord) {
            atEndOfCall.store(value.load(ordering: .relaxed), ordering: .relaxed)
        }
    }

    @Test("tls-C4: a certificate that is refused is not tried again")
    func noRetries() async throws {
        let failures = FailureCount()
        try await withTLSServer(.named("good")) { server in
            let result = try await tlsSum(
                server.addresses[0].description, .trusting("other-ca"), observers: [failures])
            #expect(throws: GRPCStatus.self) { try result.get() }
        }
        #expect(failures.atEndOfCall.load(ordering: .relaxed) == 1)
    }

    @Test("tls-B1: one side speaks TLS and the other does not: both say so")
    func mismatch() async throws {
        let log = InMemoryLogHandler()
        try await withTLSServer(.named("good"), log: log) { server in
            let clear = try await tlsSum(server.addresses[0].description, nil)
            let error = #expect(throws: GRPCStatus.self) { try clear.get() }
            #expect(
                error?.message.contains("the server speaks TLS: use --tls") == true,
                "\(String(describing: error))")
        }
        #expect(
            Set(log.operatorLines) == ["the client speaks HTTP/2 in clear text, but this port speaks TLS"])
        let clearLog = InMemoryLogHandler()
        try await withTLSServer(nil, log: clearLog) { server in
            let secured = try await tlsSum(server.addresses[0].description, .trusting())
            let error = #expect(throws: GRPCStatus.self) { try secured.get() }
            #expect(
                error?.message.contains("the server does not speak TLS on this port") == true,
                "\(String(describing: error))")
        }
        #expect(Set(clearLog.operatorLines) == ["the client speaks TLS, but this port does not"])
    }
}
