import Foundation
import NIOCore
import ScriptedPeers
import SwiftProtobuf
import Testing

@testable import SumCore

/// Requests that cost far more to process, or to store, than to send, against a server process.
@Suite(.timeLimit(.minutes(60))) struct HeavyRequestTests {
    private static let gzipRequest: [WireField] = .request.with(WireField("grpc-encoding", "gzip"))

    private static func compressed(_ message: [UInt8]) throws -> [UInt8] {
        var framed = ByteBuffer()
        try MessageWriter(compression: .gzip).write(message, to: &framed)
        return [UInt8](framed.readableBytesView)
    }

    /// The number 1 and as many unknown two-byte fields as the limit allows, which are the slowest to parse.
    private static func slowMessage() throws -> [UInt8] {
        let count = (SumNumbers.defaultMaxMessageSize - 2) / 2
        return try compressed([8, 1] + Array(repeatElement([0x10, 1] as [UInt8], count: count).joined()))
    }

    /// Sends slow messages until `isOver`, and reconnects when it is disconnected.
    private static func attack(
        _ server: ServerProcess, pause: Duration, until isOver: () -> Bool
    ) throws -> (connections: Int, bytes: Int) {
        let messages = Array(repeatElement(try slowMessage(), count: 100).joined())
        var (connections, bytes) = (0, 0)
        while !isOver() {
            let client = try server.connect()
            connections += 1
            try? client.send(.headers(gzipRequest, on: 1))
            while !isOver(), (try? client.send(.data(messages, on: 1))) != nil {
                bytes += messages.count
                if pause > .zero { usleep(UInt32(pause / .microseconds(1))) }
            }
        }
        return (connections, bytes)
    }

    @Test(
        "audit-M1: honest clients are served beside four that send slow compressed messages, and the server stops in time",
        arguments: [Duration.zero, .milliseconds(200)])
    func nonsense(_ pause: Duration) async throws {
        let rounds = Scale.count(50, full: 2000)
        let options = ["--listen", "127.0.0.1:0", "--drain-timeout", Scale.isFull ? "2s" : "30s"]
        let server = try await ServerProcess("sum-server", options)
        let (idle, busy) = try await Tool.offload {
            Result {
                func latencies() throws -> [Duration] {
                    try (0..<rounds).map { _ in try ContinuousClock().measure { try server.callForSum() } }
                        .sorted()
                }
                let idle = try latencies()
                let isOver = DispatchSemaphore(value: 0)
                let group = DispatchGroup()
                for _ in 0..<4 {
                    DispatchQueue.global().async(group: group) {
                        _ = try? Self.attack(server, pause: pause) {
                            defer { isOver.signal() }
                            return isOver.wait(timeout: .now()) == .success
                        }
                    }
                }
                let busy = try latencies()
                isOver.signal()
                group.wait()
                return (idle, busy)
            }
        }.get()
        if Scale.isFull {
            let (before, during) = (idle[rounds * 99 / 100], busy[rounds * 99 / 100])
            #expect(during <= before * 5, "p99 \(before) became \(during)")
        }
        #expect(await server.stop().status == 0)
    }

    @Test("audit-M1: shutdown does not wait for messages that have not been processed")
    func stop() async throws {
        let server = try await ServerProcess(
            "sum-server", ["--listen", "127.0.0.1:0", "--drain-timeout", "200ms"])
        let client = try server.connect()
        try client.send(.headers(Self.gzipRequest, on: 1))
        try client.send(.data(Array(repeatElement(try Self.slowMessage(), count: 200).joined()), on: 1))
        _ = try client.receive(.settings)
        // The call is still open, and is cut off.
        #expect(await server.stop().status == 1)
    }

    // MARK: Memory

    private static func watch(_ service: String) throws -> [UInt8] {
        let request = Grpc_Health_V1_HealthCheckRequest.with { $0.service = service }
        return try compressed(request.serialized())
    }

    private static func fields(_ path: String) -> [WireField] {
        gzipRequest.with(WireField(":path", path), WireField("grpc-accept-encoding", "gzip"))
    }

    /// Holds 128 calls open whose responses are not read.
    ///
    /// - Returns: the bytes sent, and the bytes that the server holds for them.
    private func held(
        _ path: String, _ message: [UInt8], times: Int = 1
    ) async throws -> (sent: Int, held: Int) {
        try await ServerProcess.attacked(["--max-resets", "1000"]) { server in
            let before = try server.footprint().memory
            let client = try server.connect([.settings([4: 0]), .settingsAck])
            var sent = 0
            for call in UInt32(0)..<128 {
                let frames =
                    WireFrame.headers(Self.fields(path), on: 2 * call + 1).bytes
                    + WireFrame.data(
                        Array(repeatElement(message, count: times).joined()), on: 2 * call + 1,
                        endStream: times == 1
                    ).bytes
                try client.send(bytes: frames)
                sent += frames.count
            }
            // Once a later call by another client has ended, everything sent before has been processed.
            for _ in 0..<20 { try server.callForSum() }
            return (sent, try server.footprint().memory - before)
        }
    }

    @Test("audit-M3: Watch calls hold less than ten times what was sent, plus 1 MiB")
    func watching() async throws {
        for service in ["", "x", String(repeating: "x", count: 4000)] {
            let (sent, held) = try await held("/grpc.health.v1.Health/Watch", try Self.watch(service))
            #expect(held < 10 * sent + 1 << 20, "\(held) held for \(sent)")
        }
    }

    @Test(
        "audit-M2: reflection whose responses nobody reads holds less than ten times what was sent, plus 1 MiB"
    )
    func reflecting() async throws {
        let request = Grpc_Reflection_V1_ServerReflectionRequest.with {
            $0.fileContainingSymbol = "grpc.reflection.v1.ServerReflection"
        }
        let path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
        for message in [try Self.compressed(request.serialized()), [0, 0, 0, 0, 0]] {
            let (sent, held) = try await held(path, message, times: 200)
            #expect(held < 10 * sent + 1 << 20, "\(held) held for \(sent)")
        }
    }

    @Test("audit-M6: an idle connection that has sent or requested much keeps at most 48 KiB")
    func idle() async throws {
        let numbers = [UInt8].frames(of: Array(repeating: [UInt8].number(1), count: 2340).flatMap { $0 })
        let count = 50
        let perConnection = try await ServerProcess.attacked { server in
            let before = try server.footprint().memory
            let clients = try (0..<count).map { _ in
                let client = try server.connect()
                try client.send(.headers(.request, on: 1))
                for _ in 0..<40 { try client.send(bytes: numbers) }
                try client.send(.data([], on: 1, endStream: true))
                _ = try client.receiveAnswer()
                return client
            }
            let clock = ContinuousClock()
            let limit = clock.now + .seconds(120)
            var kept = Int.max
            repeat {
                usleep(10_000)
                kept = (try server.footprint().memory - before) / clients.count
            } while kept > 48 << 10 && clock.now < limit
            return kept
        }
        #expect(perConnection <= 48 << 10)
    }
}
