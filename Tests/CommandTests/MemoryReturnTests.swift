import ScriptedPeers
import Testing

/// Memory comes back some seconds after the work, of few connections too.
@Suite(.timeLimit(.minutes(10))) struct MemoryReturnTests {
    @Test("audit-M6: after forty connections with 128 Watch calls each, the memory is back")
    func watches() async throws {
        try await ServerProcess.attacked { server in
            let before = try server.footprint().memory
            let path = WireField(":path", "/grpc.health.v1.Health/Watch")
            let calls = (0..<UInt32(128)).map { 2 * $0 + 1 }.flatMap { stream in
                WireFrame.headers(.request.with(path), on: stream).bytes
                    + WireFrame.data([0, 0, 0, 0, 0], on: stream, endStream: true).bytes
            }
            let clients = try (0..<40).map { _ in
                let client = try server.connect()
                try client.send(bytes: calls)
                for _ in 0..<128 { _ = try #require(try client.receive(.data)) }
                return client
            }
            try #require(clients.count == 40)
            // It is worth giving back. What `attacked` expects then is what was there before, and a little.
            let now = try server.footprint().memory
            #expect(Scale.isSanitized || now > before + 8 << 20)
        }
    }
}
