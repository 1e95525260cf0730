import Dispatch
import NIOCore
import ScriptedPeers
import Synchronization
import Testing

@testable import SumCore

/// Servers that could make the client take the sum of some of its numbers for the sum of all.
@Suite(.timeLimit(.minutes(10))) struct WrongSumTests {
    /// How a sum is requested.
    enum Way: CaseIterable {
        case whole, streamed
    }

    /// Ones that a server counts over all of its connections.
    private final class Ledger: Sendable {
        private let heads = Mutex(0)
        var requests: Int { heads.withLock { $0 } }
        func note() { heads.withLock { $0 += 1 } }
    }

    /// The sum of so many ones, or how the call failed.
    private static func sum(
        of count: Int, _ way: Way, at address: String, retries: Int = 0
    ) async throws -> Result<Int32, GRPCStatus> {
        let client = try await GRPCClient.connect(to: Target(address), timeout: .seconds(60))
        var options = GRPCCallOptions()
        options.maxRetries = retries
        let ones = [Int32](repeating: 1, count: count)
        let result: Result<Int32, GRPCStatus>
        do throws(GRPCStatus) {
            switch way {
            case .whole: result = .success(try await client.sum(of: ones, options: options))
            case .streamed:
                let call = client.sumNumbers(options)
                try await call.send(contentsOf: ones)
                result = .success(try await call.closeAndReceive())
            }
        } catch {
            result = .failure(error)
        }
        await client.close()
        return result
    }

    private static let hello: [WireFrame] = [.settings([4: 1 << 30]), .settingsAck, .windowUpdate(1 << 30)]

    /// Reads a request until its end, or until so many ones have arrived.
    ///
    /// - Returns: the stream, and how many ones arrived on it; nil if the client closes the connection.
    private static func receive(
        _ peer: WireSocket, atMost limit: Int = .max, _ ledger: Ledger
    ) throws -> (streamID: UInt32, count: Int)? {
        guard let head = try peer.receive(.headers) else { return nil }
        ledger.note()
        var byteCount = 0
        while byteCount / 7 < limit, let frame = try peer.receive(where: { $0.streamID == head.streamID }) {
            if frame.kind == .data { byteCount += frame.payload.count }
            if frame.kind == .rstStream { return nil }
            if frame.endsStream { break }
        }
        return (head.streamID, byteCount / 7)
    }

    private static func answer(_ sum: Int, on streamID: UInt32) -> [WireFrame] {
        var message = ByteBuffer()
        message.writeNumber(Int32(sum))
        return [
            .headers(.response, on: streamID), .data(Array(message.readableBytesView), on: streamID),
            .headers(.trailers(0), on: streamID, endStream: true),
        ]
    }

    private static func bytes(_ frames: [WireFrame]) -> [UInt8] { frames.flatMap(\.bytes) }

    // MARK: W1

    /// A response that ends its connection, and the error in it.
    struct BrokenAnswer: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var error: String
        var frames: [WireFrame]
    }

    private static func block(_ payload: [UInt8]) -> WireFrame {
        WireFrame(.headers, flags: .endHeaders, on: 1, payload: payload)
    }

    private static let tooLong = [WireField].response + [WireField("x", String(repeating: "y", count: 9_000))]

    static let brokenAnswers: [BrokenAnswer] = [
        BrokenAnswer(
            testDescription: "an index beyond the table", error: "COMPRESSION_ERROR", frames: [block([0xfe])]),
        BrokenAnswer(
            testDescription: "index 0", error: "COMPRESSION_ERROR", frames: [block([0x80])]),
        BrokenAnswer(
            testDescription: "a table size update beyond the limit", error: "COMPRESSION_ERROR",
            frames: [block([0x3f, 0xe1, 0xff, 0x03, 0x88])]),
        BrokenAnswer(
            testDescription: "a table size update after a field", error: "COMPRESSION_ERROR",
            frames: [block([0x88, 0x20])]),
        BrokenAnswer(
            testDescription: "a string that ends early", error: "COMPRESSION_ERROR",
            frames: [block([0x00, 0x05, 0x61])]),
        BrokenAnswer(
            testDescription: "a lying content-length, and a short SETTINGS",
            error: "broke HTTP/2: 'content-length' says 3 bytes, but more came",
            frames: [
                .headers(.response.with(WireField("content-length", "3")), on: 1),
                .data([0, 0, 0, 0, 2, 8, 7], on: 1), WireFrame(.settings, payload: [0]),
            ]),
        BrokenAnswer(
            testDescription: "a list too long, and DATA on stream 0", error: "and the limit is 8192",
            frames: [.headers(tooLong, on: 1), .data([1], on: 0)]),
        BrokenAnswer(
            testDescription: "a bad name, and HEADERS on an even stream",
            error: "broke HTTP/2: the field name 'Upper' has upper-case letters",
            frames: [.headers(.response + [WireField("Upper", "x")], on: 1), .headers(.response, on: 2)]),
        BrokenAnswer(
            testDescription: "DATA before HEADERS, and a WINDOW_UPDATE of 0", error: "PROTOCOL_ERROR",
            frames: [.data([1], on: 1), .windowUpdate(0)]),
        BrokenAnswer(
            testDescription: "a good head, and PUSH_PROMISE", error: "PROTOCOL_ERROR",
            frames: [.headers(.response, on: 1), .pushPromise(.request, promised: 2, on: 1)]),
        BrokenAnswer(
            testDescription: "a bad head, REFUSED_STREAM, and GOAWAY on stream 1", error: "PROTOCOL_ERROR",
            frames: [
                .headers(tooLong, on: 1), .rstStream(7, on: 1),
                WireFrame(.goAway, on: 1, payload: [0, 0, 0, 0, 0, 0, 0, 0]),
            ]),
    ]

    /// What a server does after a broken response: it keeps reading as long as the client sends, and serves further
    /// connections correctly.
    private static func server(
        _ answer: BrokenAnswer, after count: Int, _ ledger: Ledger
    ) throws -> ScriptedServer {
        try ScriptedServer { peer, number in
            try peer.send(bytes: bytes(hello))
            guard number == 0 else {
                while let (streamID, count) = try receive(peer, ledger) {
                    try peer.send(bytes: bytes(Self.answer(count, on: streamID)))
                }
                return
            }
            _ = try receive(peer, atMost: count, ledger)
            try peer.send(bytes: bytes(answer.frames))
            // What else the client sends does not matter.
            while try !peer.receiveBytes().isEmpty {}
        }
    }

    private func expectFailure(
        _ answer: BrokenAnswer, _ way: Way, of count: Int, after received: Int, retries: Int = 0
    ) async throws {
        let ledger = Ledger()
        let server = try Self.server(answer, after: received, ledger)
        let result = try await Self.sum(of: count, way, at: server.address, retries: retries)
        switch result {
        case .success(let sum): Issue.record("\(sum) instead of an error")
        case .failure(let status):
            #expect([.unavailable, .internalError, .resourceExhausted].contains(status.code))
            #expect(
                status.message.contains(answer.error) || answer.frames.contains { $0.kind == .rstStream },
                "\(status)")
        }
        #expect(ledger.requests == 1)
        try await server.end()
    }

    @Test(
        "audit-W1: a response that breaks its connection after a part of the numbers is reported as an error",
        arguments: brokenAnswers, Way.allCases)
    func brokenAfterPart(_ answer: BrokenAnswer, _ way: Way) async throws {
        try await expectFailure(answer, way, of: 500_000, after: 60_000)
    }

    @Test(
        "audit-W1: a call with a response is not retried, even with retries allowed",
        arguments: brokenAnswers, Way.allCases)
    func brokenAfterAll(_ answer: BrokenAnswer, _ way: Way) async throws {
        try await expectFailure(answer, way, of: 10, after: .max)
        try await expectFailure(answer, way, of: 10, after: .max, retries: 3)
    }

    @Test(
        "audit-W1: a broken response ends the call even if the server has stopped reading",
        arguments: Way.allCases)
    func brokenAndDeaf(_ way: Way) async throws {
        let hasEnded = DispatchSemaphore(value: 0)
        let server = try ScriptedServer { peer in
            try peer.send(bytes: Self.bytes(Self.hello))
            _ = try peer.receive(.headers)
            try peer.send(bytes: Self.bytes(Self.brokenAnswers[0].frames))
            hasEnded.wait()
        }
        // More than the kernel buffers for a server that does not read.
        let result = try await Self.sum(of: 3_000_000, way, at: server.address)
        hasEnded.signal()
        #expect(throws: GRPCStatus.self) { try result.get() }
        try await server.end()
    }

    @Test("audit-W1: calls beside a broken response fail too, and the next one gets a new connection")
    func bystanders() async throws {
        let ledger = Ledger()
        let server = try Self.server(Self.brokenAnswers[0], after: 1, ledger)
        let client = try await GRPCClient.connect(to: Target(server.address), timeout: .seconds(60))
        let (first, second) = (client.sumNumbers(), client.sumNumbers())
        try await second.send(1)
        try await first.send(contentsOf: [1, 1])
        await #expect(throws: GRPCStatus.self) { try await first.closeAndReceive() }
        await #expect(throws: GRPCStatus.self) { try await second.closeAndReceive() }
        #expect(try await client.sum(of: [1, 1, 1]) == 3)
        await client.close()
        try await server.end()
        #expect(server.connections == 2)
    }

    @Test("audit-W1: a call above a GOAWAY's last stream id is retried if all of it is kept")
    func goAway() async throws {
        for (count, isKept) in [(1_000, true), (100_000, false)] {
            let ledger = Ledger()
            let server = try ScriptedServer { peer, number in
                try peer.send(bytes: Self.bytes(Self.hello))
                if number == 0 {
                    _ = try Self.receive(peer, atMost: count, ledger)
                    try peer.send(.goAway(lastStreamID: 0))
                    while try !peer.receiveBytes().isEmpty {}
                } else if let (streamID, count) = try Self.receive(peer, ledger) {
                    try peer.send(bytes: Self.bytes(Self.answer(count, on: streamID)))
                    _ = try peer.receiveAll()
                }
            }
            for way in [Way.streamed] {
                let result = try await Self.sum(of: count, way, at: server.address)
                if isKept {
                    #expect(try result.get() == Int32(count))
                } else {
                    let status = #expect(throws: GRPCStatus.self) { try result.get() }
                    #expect(status?.code == .unavailable)
                    #expect(status?.message.contains("262144 bytes kept") == true)
                }
            }
            try await server.end()
            #expect(ledger.requests == (isKept ? 2 : 1))
        }
    }

    // MARK: W2

    /// Why a first attempt is followed by a second.
    enum FirstEnd: CaseIterable {
        case refused, unavailable
    }

    @Test(
        "audit-W2: after an attempt that sent everything, an OK before everything was sent again does not count",
        arguments: FirstEnd.allCases, Way.allCases)
    func earlySecondAnswer(_ first: FirstEnd, _ way: Way) async throws {
        let ledger = Ledger()
        let server = try ScriptedServer { peer in
            try peer.send(bytes: Self.bytes(Self.hello))
            let (streamID, count) = try #require(try Self.receive(peer, ledger))
            try #require(count == 1_000)
            // The next stream has a window for ten numbers.
            try peer.send(.settings([4: 70]))
            switch first {
            case .refused: try peer.send(.rstStream(7, on: streamID))
            case .unavailable:
                try peer.send(.headers(.response + .trailers(14, "busy"), on: streamID, endStream: true))
            }
            let (next, ten) = try #require(try Self.receive(peer, atMost: 10, ledger))
            try #require(ten == 10)
            try peer.send(bytes: Self.bytes(Self.answer(10, on: next)))
            _ = try peer.receiveAll()
        }
        let result = try await Self.sum(
            of: 1_000, way, at: server.address, retries: first == .unavailable ? 1 : 0)
        #expect(result == .failure(.answeredTooEarly))
        try await server.end()
        #expect(ledger.requests == 2)
    }

    @Test(
        "audit-W2: an OK of the first attempt before its end was sent does not count", arguments: Way.allCases
    )
    func earlyFirstAnswer(_ way: Way) async throws {
        let ledger = Ledger()
        let server = try ScriptedServer { peer in
            try peer.send(.settings([4: 70]), .settingsAck)
            _ = try Self.receive(peer, atMost: 10, ledger)
            try peer.send(bytes: Self.bytes(Self.answer(10, on: 1)))
            _ = try peer.receiveAll()
        }
        // Ten numbers fill the window: all of them were sent, but the end of the call only if it was sent with them.
        let result = try await Self.sum(of: 1_000, way, at: server.address)
        #expect(result == .failure(.answeredTooEarly))
        try await server.end()
    }

    @Test(
        "audit-W2: the sum counts when everything was sent again", arguments: FirstEnd.allCases, Way.allCases)
    func secondAnswer(_ first: FirstEnd, _ way: Way) async throws {
        let ledger = Ledger()
        let server = try ScriptedServer { peer in
            try peer.send(bytes: Self.bytes(Self.hello))
            let (streamID, _) = try #require(try Self.receive(peer, atMost: 3, ledger))
            switch first {
            case .refused: try peer.send(.rstStream(7, on: streamID))
            case .unavailable:
                try peer.send(.headers(.response + .trailers(14, "busy"), on: streamID, endStream: true))
            }
            let (next, count) = try #require(try Self.receive(peer, ledger))
            try peer.send(bytes: Self.bytes(Self.answer(count, on: next)))
            _ = try peer.receiveAll()
        }
        let result = try await Self.sum(
            of: 1_000, way, at: server.address, retries: first == .unavailable ? 1 : 0)
        #expect(result == .success(1_000))
        try await server.end()
        #expect(ledger.requests == 2)
    }
}
