import ScriptedPeers
import Testing

@testable import SumCore

/// Retried calls, against servers that misbehave on purpose.
@Suite(.timeLimit(.minutes(10))) struct RetryTests {
    /// Responds to one connection's only call with the sum 7, after it has read the whole request.
    private static func answer(_ peer: WireSocket) throws -> [UInt8] {
        var body: [UInt8] = []
        while let frame = try peer.receive() {
            if frame.kind == .data { body += frame.payload }
            guard frame.endsStream else { continue }
            try peer.send(
                .headers(.response, on: frame.streamID),
                .data([0, 0, 0, 0, 2, 8, 7], on: frame.streamID),
                .headers(.trailers(0), on: frame.streamID, endStream: true))
            break
        }
        return body
    }

    private func sum(
        _ server: ScriptedServer, retries: Int = 0, count: Int = 1, waitsForReady: Bool = false
    ) async throws -> Int32 {
        var configuration = GRPCClient.Configuration()
        configuration.connectTimeout = .seconds(60)
        let client = GRPCClient(target: try Target(server.address), configuration: configuration)
        var options = GRPCCallOptions()
        options.maxRetries = retries
        let call = client.sumNumbers(options)
        do {
            try await call.send(contentsOf: Array(repeating: 1, count: count))
            let sum = try await call.closeAndReceive()
            await client.close()
            return sum
        } catch {
            await client.close()
            throw error
        }
    }

    @Test(
        "abuse-K4, grpc-K14: a refused stream is retried at once on the same connection, with all its numbers"
    )
    func refused() async throws {
        let server = try ScriptedServer { peer in
            try peer.send(.settings(), .settingsAck)
            let first = try #require(try peer.receive(.headers))
            _ = try peer.receive(.data)
            try peer.send(.rstStream(7, on: first.streamID))
            let second = try #require(try peer.receive(.headers))
            #expect(second.streamID == 3)
            #expect(second["grpc-previous-rpc-attempts"] == nil)
            #expect(try Self.answer(peer) == [0, 0, 0, 0, 2, 8, 1])
            _ = try peer.receiveAll()
        }
        #expect(try await sum(server) == 7)
        #expect(server.connections == 1)
        try await server.end()
    }

    @Test("grpc-K2, abuse-K5: a call above GOAWAY's last stream id is retried on a new connection")
    func goAway() async throws {
        let server = try ScriptedServer { peer, number in
            try peer.send(.settings(), .settingsAck)
            guard number == 0 else {
                #expect(try Self.answer(peer) == [0, 0, 0, 0, 2, 8, 1])
                _ = try peer.receiveAll()
                return
            }
            _ = try peer.receive(.data)
            try peer.send(.goAway(lastStreamID: 0))
            _ = try peer.receiveAll()
        }
        #expect(try await sum(server) == 7)
        #expect(server.connections == 2)
        try await server.end()
    }

    @Test("grpc-K2, abuse-K5: a call at or below GOAWAY's last stream id goes on")
    func goAwayLater() async throws {
        let server = try ScriptedServer { peer in
            try peer.send(.settings(), .settingsAck)
            let request = try #require(try peer.receive(.headers))
            try peer.send(.goAway(lastStreamID: request.streamID))
            #expect(try Self.answer(peer) == [0, 0, 0, 0, 2, 8, 1])
            _ = try peer.receiveAll()
        }
        #expect(try await sum(server) == 7)
        #expect(server.connections == 1)
        try await server.end()
    }

    @Test("grpc-K14: a lost connection is UNAVAILABLE, and retried as often as requested; the server is told")
    func unavailable() async throws {
        let server = try ScriptedServer { peer, number in
            try peer.send(.settings(), .settingsAck)
            let request = try #require(try peer.receive(.headers))
            #expect(request["grpc-previous-rpc-attempts"] == (number == 0 ? nil : "\(number)"))
            if number < 2 { return }
            #expect(try Self.answer(peer) == [0, 0, 0, 0, 2, 8, 1])
            _ = try peer.receiveAll()
        }
        #expect(try await sum(server, retries: 2) == 7)
        try await server.end()
        #expect(server.connections == 3)
    }

    @Test("grpc-K14: without retries, or after the last one, UNAVAILABLE is the status", arguments: [0, 1])
    func exhausted(_ retries: Int) async throws {
        let server = try ScriptedServer { peer in
            try peer.send(.settings(), .settingsAck)
            while let request = try peer.receive(.headers) {
                try peer.send(
                    .headers(.response + .trailers(14, "busy"), on: request.streamID, endStream: true))
            }
        }
        let message = retries == 0 ? "busy" : "busy (tried 2 times)"
        await #expect(throws: GRPCStatus(code: .unavailable, message: message)) {
            try await sum(server, retries: retries)
        }
        try await server.end()
    }

    @Test(
        "grpc-K14: the server may say when to retry, or not to",
        arguments: [("0", 2), ("-1", 1), ("soon", 1)])
    func pushback(_ pushback: String, _ attempts: Int) async throws {
        let server = try ScriptedServer { peer in
            try peer.send(.settings(), .settingsAck)
            var attempt = 0
            while let request = try peer.receive(.headers) {
                attempt += 1
                let status: [WireField] = .response + .trailers(14, "busy")
                try peer.send(
                    .headers(
                        status + [WireField("grpc-retry-pushback-ms", pushback)], on: request.streamID,
                        endStream: true))
            }
            #expect(attempt == attempts)
        }
        await #expect(throws: GRPCStatus.self) { try await sum(server, retries: 1) }
        try await server.end()
    }

    @Test(
        "grpc-K14: once the response has begun, or more was sent than is kept, there is no further attempt",
        arguments: [
            (1, true), (60_000, false),
        ])
    func committed(_ count: Int, _ hasBegun: Bool) async throws {
        let server = try ScriptedServer { peer in
            try peer.send(.settings([4: 1 << 20]), .settingsAck, .windowUpdate(1 << 20))
            let request = try #require(try peer.receive(.headers))
            if hasBegun { try peer.send(.headers(.response, on: request.streamID)) }
            var received = 0
            while received < count * 7, let frame = try peer.receive(.data) {
                received += frame.payload.count
            }
            if hasBegun {
                try peer.send(.headers(.trailers(14, "busy"), on: request.streamID, endStream: true))
            } else {
                try peer.send(
                    .headers(.response + .trailers(14, "busy"), on: request.streamID, endStream: true))
            }
            _ = try peer.receiveAll()
        }
        let error = await #expect(throws: GRPCStatus.self) { try await sum(server, retries: 5, count: count) }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("262144") == !hasBegun)
        try await server.end()
        #expect(server.connections == 1)
    }

    @Test("audit-W1: a call that is invalid by itself does not cost others their connection")
    func ownFault() async throws {
        let server = try ScriptedServer { peer in
            // MAX_HEADER_LIST_SIZE 1000.
            try peer.send(.settings([6: 1000]), .settingsAck)
            #expect(try Self.answer(peer) == [0, 0, 0, 0, 2, 8, 1])
            _ = try peer.receiveAll()
        }
        let client = try await GRPCClient.connect(to: Target(server.address), timeout: .seconds(60))
        var options = GRPCCallOptions()
        try options.metadata.add("k", String(repeating: "v", count: 1000))
        let status = await #expect(throws: GRPCStatus.self) {
            try await client.sum(of: [1], options: options)
        }
        #expect(status?.code == .resourceExhausted)
        #expect(try await client.sum(of: [1]) == 7)
        await client.close()
        try await server.end()
        #expect(server.connections == 1)
    }

    @Test("grpc-K9: a call that waits for its server survives refused connections; its deadline still counts")
    func waitForReady() async throws {
        let path = "/tmp/sum-test-\(UInt32.random(in: 0 ... .max)).sock"
        var configuration = GRPCClient.Configuration()
        configuration.connectTimeout = .seconds(1)
        let client = GRPCClient(target: try Target("unix:\(path)"), configuration: configuration)
        var options = GRPCCallOptions()
        let early = await #expect(throws: GRPCStatus.self) {
            try await client.sumNumbers(options).closeAndReceive()
        }
        #expect(early?.code == .unavailable)
        options.waitsForReady = true
        options.timeout = .milliseconds(300)
        let late = await #expect(throws: GRPCStatus.self) {
            try await client.sumNumbers(options).closeAndReceive()
        }
        #expect(late?.code == .deadlineExceeded)
        options.timeout = nil
        let waiting = client.sumNumbers(options)
        let server = try await GRPCServer.start(
            listeningOn: [.unix(path: path)], methods: [SumNumbers.method()])
        #expect(try await waiting.closeAndReceive() == 0)
        await client.close()
        await server.shutdown(within: .seconds(60))
    }
}
