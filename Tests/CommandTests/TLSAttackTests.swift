import Foundation
import ScriptedPeers
import Synchronization
import Testing

/// Attacks on TLS itself, against a server process.
@Suite(.timeLimit(.minutes(60))) struct TLSAttackTests {
    /// See `ServerProcess.attacked`.
    private func attacked<Answer: Sendable>(
        _ options: [String] = [], logged: String...,
        attack: @escaping @Sendable (ServerProcess) throws -> Answer
    ) async throws -> Answer {
        let certificate = [
            "--tls-cert", try TestCertificates.path("good.pem"), "--tls-key",
            try TestCertificates.path("good-key.pem"),
        ]
        return try await ServerProcess.attacked(certificate + options, logged: logged, attack)
    }

    /// A record of TLS (RFC 8446 section 5.1).
    private static func record(_ type: UInt8, _ content: [UInt8]) -> [UInt8] {
        [type, 3, 1, UInt8(content.count >> 8), UInt8(content.count & 0xff)] + content
    }

    private static func records(_ count: Int, _ type: UInt8, _ content: [UInt8]) -> [UInt8] {
        Array(repeating: record(type, content), count: count).flatMap { $0 }
    }

    // MARK: The handshake

    @Test(
        "tls-A1: a handshake that breaks a rule of TLS ends at once, and one that is too long before it is read",
        arguments: [
            ("a hello of 1 MiB", record(22, [1, 0x10, 0, 0, 3]), "the client's TLS handshake is too long"),
            (
                "a hello of 16 MiB", record(22, [1, 0xff, 0xff, 0xff, 3]),
                "the client's TLS handshake is too long"
            ),
            ("a record of 64 KiB", [22, 3, 1, 0xff, 0xff], "encrypted length too long"),
            ("empty records", records(200, 22, []), "too many empty fragments"),
            ("warnings", records(200, 21, [1, 90]), "too many warning alerts"),
            ("fatal alerts", records(200, 21, [2, 80]), "the client ended TLS: internal error"),
            ("ChangeCipherSpec", records(200, 20, [1]), "the client does not speak TLS"),
            ("a server's message", record(22, [2, 0, 0, 0]), "unexpected message"),
            ("data", record(23, [1, 2, 3, 4]), "the client does not speak TLS"),
        ] as [(String, [UInt8], String)])
    func brokenHandshake(_ row: (name: String, bytes: [UInt8], reason: String)) async throws {
        try await attacked(logged: row.reason) { server in
            for _ in 0..<Scale.count(20, full: 10_000) {
                let client = try server.connectSilently()
                // The server may have closed the connection before it has seen everything.
                try? client.send(bytes: row.bytes)
                while try !client.receiveBytes().isEmpty {}
            }
        }
    }

    @Test("tls-A2: a handshake whose bytes come singly succeeds, and one that does not go on ends in time")
    func slowHandshake() async throws {
        try await attacked(["--handshake-timeout", "3s"]) { server in
            let patient = try server.connectSilently()
            try patient.secure(singly: true)
            try patient.sayHello()
            try patient.callForSum()
            let slow = try server.connectSilently()
            try slow.sendSingly(WireSocket.clientHello().dropLast())
            #expect(try slow.receiveBytes().isEmpty)
        }
    }

    @Test("tls-A2: many handshakes that stay half done do not keep others from being served, and end in time")
    func halfHandshakes() async throws {
        try await attacked(["--handshake-timeout", "3s", "--max-connections", "5000"]) { server in
            let hello = try WireSocket.clientHello()
            let clients = try (0..<Scale.count(50, full: 2000)).map { _ in
                let client = try server.connectSilently()
                try client.send(bytes: hello)
                // The server has done its part, which is the expensive one.
                #expect(try client.receiveBytes().first == 22)
                return client
            }
            try server.callForSum()
            for client in clients { while try !client.receiveBytes().isEmpty {} }
        }
    }

    @Test(
        "tls-A6: of a flood of handshakes from one address, the bucket's share is served, and another address loses nothing"
    )
    func handshakeFlood() async throws {
        let (burst, count) = (50, Scale.count(400, full: 20_000))
        let start = ContinuousClock.now
        let answered = try await attacked(
            ["--max-new-connections-per-peer", "\(burst)"], logged: "the peer connects too often"
        ) { server in
            let hello = try WireSocket.clientHello()
            let answered = Atomic(0)
            let attackers = DispatchGroup()
            for _ in 0..<2 {
                DispatchQueue.global().async(group: attackers) {
                    for _ in 0..<count / 2 {
                        guard let client = try? server.connectSilently(from: "127.0.0.2") else { continue }
                        // The connection may have been closed already.
                        try? client.send(bytes: hello)
                        if (try? client.receiveBytes().first) == 22 { answered.add(1, ordering: .relaxed) }
                    }
                }
            }
            // Each with a handshake of its own; fewer than the burst of this address.
            for _ in 0..<20 { try server.callForSum() }
            attackers.wait()
            return answered.load(ordering: .relaxed)
        }
        // A tenth of the burst comes back in each second.
        let seconds = Int((ContinuousClock.now - start) / .seconds(1)) + 1
        #expect(answered >= burst)
        #expect(answered <= burst + burst / 10 * seconds)
    }

    // MARK: After the handshake

    @Test("tls-A3: records of one byte are accepted")
    func smallRecords() async throws {
        let count = Scale.count(2000, full: 100_000)
        try await attacked { server in
            let client = try server.connect()
            try client.sendInSmallRecords(WireFrame.headers(.request, on: 1).bytes)
            for _ in 0..<count / 100 {
                let numbers = Array(repeating: [UInt8].number(1), count: 100).flatMap { $0 }
                try client.sendInSmallRecords(WireFrame.data(numbers, on: 1).bytes)
            }
            try client.send(.data([], on: 1, endStream: true))
            #expect(RequestCase.Outcome(try client.receiveAnswer()) == .sum(Int32(count)))
        }
    }

    @Test(
        "tls-A4: bytes that are no valid records end an open connection, and it says so",
        arguments: [
            record(23, Array(repeating: 7, count: 64)), Array("GET / HTTP/1.1\r\n\r\n".utf8),
            records(200, 20, [1]), Array(repeating: 0, count: 100_000),
        ])
    func garbage(_ bytes: [UInt8]) async throws {
        try await attacked(logged: "the client sent what is no valid record of TLS") { server in
            for _ in 0..<Scale.count(20, full: 10_000) {
                let client = try server.connect()
                try client.callForSum()
                try? client.sendUnencrypted(bytes)
                // The server's last words may be lost.
                while let bytes = try? client.receiveBytes(), !bytes.isEmpty {}
            }
        }
    }

    /// Gives commands to `openssl s_client` until it ends.
    private static func command(
        _ letter: String, _ notice: String, at server: ServerProcess, _ version: String
    ) throws {
        let client = Tool.process(
            "/usr/bin/openssl", ["s_client", "-connect", server.address, "-alpn", "h2", version])
        let (input, errors) = (Pipe(), Pipe())
        client.standardInput = input
        client.standardOutput = FileHandle.nullDevice
        client.standardError = errors
        server.connections.add(1, ordering: .relaxed)
        try client.run()
        // It takes one command from each read of its input, so each must have been carried out before the next.
        var seen = ""
        var count = 0
        commands: while count < 100 {
            try? input.fileHandleForWriting.write(contentsOf: Data("\(letter)\n".utf8))
            count += 1
            while seen.components(separatedBy: notice).count <= count {
                let bytes = errors.fileHandleForReading.availableData
                guard !bytes.isEmpty else { break commands }
                seen += String(decoding: bytes, as: UTF8.self)
            }
        }
        try? input.fileHandleForWriting.close()
        client.waitUntilExit()
        #expect(seen.contains(notice))
        #expect(count < 100)
    }

    @Test(
        "tls-A5: TLS 1.2 is not negotiated again, and keys are not changed without end",
        arguments: [
            ("R", "RENEGOTIATING", "-tls1_2", "no renegotiation"),
            ("k", "KEYUPDATE", "-tls1_3", "too many key updates"),
            ("K", "KEYUPDATE", "-tls1_3", "too many key updates"),
        ])
    func negotiations(_ row: (letter: String, notice: String, version: String, reason: String)) async throws {
        try await attacked(logged: row.reason) { server in
            try Self.command(row.letter, row.notice, at: server, row.version)
        }
    }
}
