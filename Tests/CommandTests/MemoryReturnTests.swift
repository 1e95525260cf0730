import ScriptedPeers
import Testing

/// Memory is returned a few seconds after the work, even for few connections.
@Suite(.timeLimit(.minutes(10))) struct MemoryReturnTests {
    @Test("audit-M6: memory is returned after forty connections with 128 Watch calls each")
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
            // There is enough to be worth returning. `attacked` then expects little more memory than before.
            let now = try server.footprint().memory
            #expect(Scale.isSanitized || now > before + 8 << 20)
        }
    }
}
