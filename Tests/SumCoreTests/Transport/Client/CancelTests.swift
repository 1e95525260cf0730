import Dispatch
import NIOCore
import ScriptedPeers
import Synchronization
import Testing

@testable import SumCore

/// Calls that are cancelled, whenever that is.
@Suite(.timeLimit(.minutes(10))) struct CancelTests {
    /// Never responds, so that only a cancellation ends its calls.
    private static let silent = GRPCMethod(path: SumNumbers.path) { _ in SilentMethod() }

    @Test(
        "audit-W4: sum(of:) that is cancelled at once, or a little later, ends with CANCELLED, thousands of times"
    )
    func wholeSums() async throws {
        try await withClient(of: [Self.silent]) { (client) async throws in
            var random = SeededRandom(seed: 4)
            for _ in 0..<2_000 {
                let delay = Int.random(in: 0...60, using: &random)
                let task = Task { try await client.sum(of: [1, 2, 3]) }
                for _ in 0..<delay { await Task.yield() }
                task.cancel()
                let status = await #expect(throws: GRPCStatus.self) { try await task.value }
                #expect(status?.code == .cancelled)
            }
        }
    }

    @Test(
        "audit-W4: streaming calls cancelled from another thread as they begin end with CANCELLED, thousands of times"
    )
    func streamedCalls() async throws {
        try await withClient(of: [Self.silent]) { (client) async throws in
            var random = SeededRandom(seed: 5)
            for _ in 0..<2_000 {
                let call = client.sumNumbers()
                let spins = Int.random(in: 0...300, using: &random)
                DispatchQueue.global().async {
                    var turns = 0
                    while turns < spins { turns += 1 }
                    call.cancel()
                }
                #expect(await call.ended().code == .cancelled)
            }
        }
    }

    @Test("audit-W4: calls that are retried end when they are cancelled, at any attempt")
    func retriedCalls() async throws {
        let server = try ScriptedServer { peer in
            try peer.send(.settings([3: 1_000]), .settingsAck)
            while let frame = try peer.receive() {
                guard frame.kind == .headers else { continue }
                try peer.send(
                    .headers(
                        .response + .trailers(14, "busy") + [WireField("grpc-retry-pushback-ms", "0")],
                        on: frame.streamID, endStream: true))
            }
        }
        let client = try await GRPCClient.connect(to: Target(server.address), timeout: .seconds(60))
        var options = GRPCCallOptions()
        options.maxRetries = .max
        var random = SeededRandom(seed: 6)
        for _ in 0..<1_000 {
            let call = client.sumNumbers(options)
            for _ in 0..<Int.random(in: 0...40, using: &random) { await Task.yield() }
            call.cancel()
            #expect(await call.ended().code == .cancelled)
        }
        await client.close()
        try await server.end()
    }

    @Test(
        "audit-W4: a call that waits for its server ends at once when it is cancelled, or when the client is closed"
    )
    func waitingCalls() async throws {
        var options = GRPCCallOptions()
        options.waitsForReady = true
        let client = GRPCClient(target: try Target("127.0.0.1:1"))
        let (first, second) = (client.sumNumbers(options), client.sumNumbers(options))
        first.cancel()
        #expect(await first.ended().code == .cancelled)
        await client.close()
        #expect(await second.ended().code == .cancelled)
        #expect(await second.peer() == nil)
    }
}

private final class SilentMethod: ServerCallHandler {
    let outlivesStream = false
    func receive(_ bytes: ByteBuffer) -> ServerReply { ServerReply(consumed: bytes.readableBytes) }
    func receiveEnd() -> ServerReply { ServerReply() }
    func cancel(_ reason: GRPCStatus) {}
}
