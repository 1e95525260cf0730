import CMalloc
import Foundation
import NIOCore
import ScriptedPeers
import SwiftProtobuf
import Synchronization
import Testing

@testable import SumCore

/// Memory that a program with an echo method holds for one connection. Each test runs in a process of its own, which
/// measures itself.
@Suite(.timeLimit(.minutes(60))) struct HostedEchoTests {
    /// What a client sends in each of its open calls.
    struct Request: Codable, Sendable, CustomTestStringConvertible {
        /// Bytes of each message before compression.
        var size: Int
        var count: Int
        var isCompressed = true
        /// Whether responses are compressed as well.
        var compressesResponses = true

        var testDescription: String {
            "\(count) messages of \(size) bytes, compressed: \(isCompressed), responses: \(compressesResponses)"
        }

        fileprivate static let path = "/test.Echo/Echo"
        fileprivate static let calls = 128

        fileprivate func frames() throws -> [UInt8] {
            let message = try Google_Protobuf_BytesValue.with { $0.value = Data(count: size) }.serialized()
            let writer = MessageWriter(compression: isCompressed ? .gzip : .identity)
            var body = ByteBuffer()
            for _ in 0..<count { try writer.write(message, to: &body) }
            var head = [WireField].request.with(WireField(":path", Self.path))
            if isCompressed { head.append(WireField("grpc-encoding", "gzip")) }
            if compressesResponses { head.append(WireField("grpc-accept-encoding", "gzip")) }
            var frames: [UInt8] = []
            for streamID in stride(from: UInt32(1), to: UInt32(2 * Self.calls), by: 2) {
                frames += WireFrame.headers(head, on: streamID).bytes
                frames += WireFrame.data([UInt8](body.readableBytesView), on: streamID).bytes
            }
            return frames
        }

        /// Bytes of all responses, if they are not compressed.
        fileprivate var responseLength: Int? {
            compressesResponses ? nil : Self.calls * count * (size + MessagePrefix.length)
        }

        /// Bytes that the server may hold: ten times what was sent, 1 MiB, and one small response for each call if
        /// that is larger than its request.
        fileprivate func limit(sent: Int) -> Int {
            let small = compressesResponses ? 0 : min(size + 64, CallMemory.smallResponse)
            return 10 * sent + 1 << 20 + Self.calls * small
        }
    }

    /// What the client does with the responses.
    enum Reading: CaseIterable {
        case everything
        /// It gives window, but does not read from its socket.
        case nothing
        case withoutWindow
    }

    @Test(
        "audit-M3: a hosted echo holds less than ten times what was sent, plus 1 MiB, and nothing soon after",
        arguments: [
            Request(size: 0, count: 200, isCompressed: false), Request(size: 10, count: 200),
            Request(size: 64 << 10, count: 1),
            Request(size: 16_000, count: 1, compressesResponses: false),
            Request(size: 64 << 10, count: 1, compressesResponses: false),
        ])
    func echo(_ request: Request) async {
        await #expect(processExitsWith: .success) { [request] in
            for reading in Reading.allCases { try await Self.measure(request, reading) }
        }
    }

    private static func measure(_ request: Request, _ reading: Reading) async throws {
        let method = GRPCMethod.bidirectionalStreaming(path: Request.path) {
            (
                requests: GRPCRequests<Google_Protobuf_BytesValue>,
                responses: GRPCResponses<Google_Protobuf_BytesValue>, _
            ) in
            for try await request in requests { try await responses.send(request) }
        }
        let server = try await GRPCServer.start(
            listeningOn: [.host("127.0.0.1", port: 0)], methods: [method])
        let address = server.addresses[0].description
        let frames = try request.frames()
        try await Tool.offload {
            Result {
                // Memory that only the first connection takes does not count.
                _ = try attack(address, frames, reading, expecting: request.responseLength)
                let before = settledMemory()
                let held =
                    try attack(address, frames, reading, expecting: request.responseLength) - before
                let returnTime = timeUntilMemory(isBelow: before + leftOver)
                // The sanitizers have allocators of their own.
                guard !Scale.isSanitized else { return }
                #expect(
                    held < request.limit(sent: frames.count), "\(reading): \(held) held for \(frames.count)")
                let time = try #require(returnTime, "\(reading): \(inUse - before) left of \(held)")
                #expect(!Scale.isFull || time < .seconds(10))
            }
        }.get()
        await server.shutdown(within: .zero)
    }

    /// - Parameter expected: bytes that a client which reads them waits for.
    /// - Returns: the bytes in use once the handlers wait: for messages, or for the client to read.
    private static func attack(
        _ address: String, _ frames: [UInt8], _ reading: Reading, expecting expected: Int?
    ) throws -> Int {
        let client = try WireSocket(connectingTo: address)
        try client.send(bytes: WireFrame.preface)
        try client.send(
            .settings([4: reading == .withoutWindow ? 0 : .max >> 1]), .settingsAck, .windowUpdate(1 << 30))
        let received = Atomic(0)
        let reader = DispatchGroup()
        if reading == .everything {
            // One thread may send while another receives.
            nonisolated(unsafe) let client = client
            DispatchQueue.global().async(group: reader) {
                while let bytes = try? client.receiveBytes(), !bytes.isEmpty {
                    received.add(bytes.count, ordering: .relaxed)
                }
            }
        }
        try client.send(bytes: frames)
        let limit = ContinuousClock.now + .seconds(120)
        var (held, unchanged) = (inUse, 0)
        while unchanged < 20, ContinuousClock.now < limit {
            usleep(10_000)
            let isComplete =
                reading != .everything || received.load(ordering: .relaxed) >= expected ?? 0
            let now = inUse
            unchanged = isComplete && abs(now - held) < 16 << 10 ? unchanged + 1 : 0
            if unchanged == 0 { held = now }
        }
        client.endSending()
        reader.wait()
        try #require(unchanged == 20, "responses are missing, or memory does not settle")
        return held
    }

    // MARK: Memory

    /// Bytes that malloc has handed out.
    private static var inUse: Int {
        let info = mallinfo2()
        return Int(clamping: info.uordblks) + Int(clamping: info.hblkhd)
    }

    /// Bytes in use that may remain: each thread keeps freed blocks for itself.
    private static let leftOver = 512 << 10

    /// Waits until memory has stopped shrinking.
    private static func settledMemory() -> Int {
        var (least, unchanged) = (Int.max, 0)
        while unchanged < 10 {
            usleep(50_000)
            let now = inUse
            unchanged = now < least ? 0 : unchanged + 1
            least = min(least, now)
        }
        return least
    }

    /// - Returns: nil if that takes more than two minutes.
    private static func timeUntilMemory(isBelow limit: Int) -> Duration? {
        let clock = ContinuousClock()
        let start = clock.now
        while inUse > limit {
            guard clock.now - start < .seconds(120) else { return nil }
            usleep(10_000)
        }
        return clock.now - start
    }
}
