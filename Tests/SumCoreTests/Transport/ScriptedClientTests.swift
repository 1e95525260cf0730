import Logging
import NIOCore
import ScriptedPeers
import Testing

@testable import SumCore

/// The server's connection against clients that break rules, or use them to the full.
@Suite struct ScriptedClientTests {
    /// A connection whose client has said hello.
    private func connection(_ configuration: GRPCServer.Configuration = .init()) throws -> WireChannel {
        let connection = try ServerConnection(
            methods: [SumNumbers.path: SumNumbers.method()], configuration: configuration,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let wire = try WireChannel(connection)
        try wire.send(bytes: WireFrame.preface + WireFrame.settings().bytes)
        return wire
    }

    /// A call of the numbers 1 to 3 gets its sum.
    private func expectSum(on streamID: UInt32, _ wire: WireChannel) throws {
        _ = wire.takeFrames()
        try wire.send(
            .headers(.request, on: streamID),
            .data(NumberCodingTests.encode([1, 2, 3]), on: streamID, endStream: true))
        let answer = wire.takeFrames().filter { $0.streamID == streamID }
        #expect(answer.map(\.kind) == [.headers, .data, .headers])
        #expect(answer.first?[":status"] == "200")
        #expect(answer.dropFirst().first?.payload == [0, 0, 0, 0, 2, 8, 6])
        #expect(answer.last?["grpc-status"] == "0")
    }

    @Test("H6: padded DATA gives the right sum") func padding() throws {
        let wire = try connection()
        try wire.send(.headers(.request, on: 1))
        for byte in NumberCodingTests.encode([1, 2, 3]) { try wire.send(.data([byte], on: 1, padding: 255)) }
        try wire.send(.data([], on: 1, endStream: true))
        #expect(wire.takeFrames().contains { $0.kind == .data && $0.payload == [0, 0, 0, 0, 2, 8, 6] })
        try expectSum(on: 3, wire)
    }
}
