import ScriptedPeers
import Testing

/// sum-client against servers that send exact frames.
@Suite struct ScriptedServerTests {
    @Test("grpc-A18: a sum in padded one-byte DATA frames is accepted")
    func paddedAnswer() async throws {
        let server = try ScriptedServer { peer in
            try peer.send(.settings(), .settingsAck)
            let request = try #require(try peer.receive(.headers))
            try #require(request[":path"] == "/tutorial.NumberService/SumNumbers")
            while let frame = try peer.receive(.data), !frame.endsStream {}
            try peer.send(.headers(.response, on: 1))
            for byte in [0, 0, 0, 0, 2, 8, 6] as [UInt8] { try peer.send(.data([byte], on: 1, padding: 9)) }
            try peer.send(.headers(.trailers(0), on: 1, endStream: true))
            _ = try peer.receiveAll()
        }
        let result = try await Tool.run("sum-client", ["--target", server.address, "1", "2", "3"])
        #expect(result.output == "6\n")
        #expect(result.status == 0)
        try await server.end()
    }
}
