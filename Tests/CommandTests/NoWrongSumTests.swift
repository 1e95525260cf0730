import Foundation
import ScriptedPeers
import Synchronization
import Testing

/// sum-client against servers that could make it print the sum of only some of its numbers.
@Suite(.timeLimit(.minutes(10))) struct NoWrongSumTests {
    private static let hello: [WireFrame] = [.settings([4: 1 << 30]), .settingsAck, .windowUpdate(1 << 30)]

    private static func bytes(_ frames: [WireFrame]) -> [UInt8] { frames.flatMap(\.bytes) }

    /// Reads DATA until its end, or until so many ones have arrived.
    private static func receiveOnes(_ peer: WireSocket, atMost limit: Int = .max) throws -> Int {
        var byteCount = 0
        while byteCount / 7 < limit, let frame = try peer.receive(.data) {
            byteCount += frame.payload.count
            if frame.endsStream { break }
        }
        return byteCount / 7
    }

    @Test(
        "audit-W1: a server that reads a part and breaks the connection with its response causes an error, and no second call",
        arguments: [nil, "3"] as [String?])
    func brokenAnswer(_ retries: String?) async throws {
        let requests = Mutex(0)
        let server = try ScriptedServer { peer, number in
            try peer.send(bytes: Self.bytes(Self.hello))
            while let head = try peer.receive(.headers) {
                requests.withLock { $0 += 1 }
                if number == 0 {
                    _ = try Self.receiveOnes(peer, atMost: 60_000)
                    let broken = WireFrame(.headers, flags: .endHeaders, on: head.streamID, payload: [0xfe])
                    try peer.send(broken, .data([0], on: 0))
                    while try !peer.receiveBytes().isEmpty {}
                    return
                }
                _ = try Self.receiveOnes(peer)
                try peer.send(
                    .headers(.response, on: head.streamID), .data(.number(99), on: head.streamID),
                    .headers(.trailers(0), on: head.streamID, endStream: true))
            }
        }
        let input = Array(repeating: "1", count: 500_000).joined(separator: "\n")
        let result = try await Tool.run(
            "sum-client", ["--target", server.address] + (retries.map { ["--retry", $0] } ?? []),
            input: .text(input))
        #expect(result.output.isEmpty)
        #expect(result.errors == "sum-client: UNAVAILABLE: the response broke HTTP/2: COMPRESSION_ERROR\n")
        #expect(result.status == 78)
        try await server.end()
        #expect(requests.withLock { $0 } == 1)
    }

    @Test(
        "audit-W2: nothing is printed if the response to a second attempt precedes its request",
        arguments: [false, true])
    func earlySecondAnswer(_ isRetry: Bool) async throws {
        let server = try ScriptedServer { peer in
            try peer.send(bytes: Self.bytes(Self.hello))
            _ = try peer.receive(.headers)
            try #require(try Self.receiveOnes(peer) == 1_000)
            try peer.send(.settings([4: 70]))
            if isRetry {
                try peer.send(.headers(.response + .trailers(14, "busy"), on: 1, endStream: true))
            } else {
                try peer.send(.rstStream(7, on: 1))
            }
            _ = try peer.receive(.headers)
            try #require(try Self.receiveOnes(peer, atMost: 10) == 10)
            try peer.send(
                .headers(.response, on: 3), .data(.number(10), on: 3),
                .headers(.trailers(0), on: 3, endStream: true))
            _ = try peer.receiveAll()
        }
        let result = try await Tool.run(
            "sum-client",
            ["--target", server.address] + (isRetry ? ["--retry", "1"] : [])
                + Array(repeating: "1", count: 1_000))
        #expect(result.output.isEmpty)
        #expect(
            result.errors == "sum-client: INTERNAL: the server responded before the whole request was sent\n")
        #expect(result.status == 77)
        try await server.end()
    }
}
