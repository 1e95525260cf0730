import InMemoryLogging
import Logging
import NIOCore
import ScriptedPeers
import Testing

@testable import SumCore

/// Frames on closed streams, and after a client's GOAWAY. The sections are those of h2spec
/// (https://github.com/summerwind/h2spec), which has a test for each.
@Suite struct ClosedStreamTests {
    @Test(
        "audit-P3: a client's GOAWAY names a stream of its own; its calls finish, and then the connection",
        arguments: [0, 1, 3, 0x7fff_ffff] as [UInt32], [false, true])
    func clientGoAway(_ lastStreamID: UInt32, _ singly: Bool) throws {
        let log = InMemoryLogHandler()
        let wire = try WireChannel.server(log: log)
        try wire.send(.headers(.request, on: 1))
        let goodbye: [WireFrame] = [
            .goAway(lastStreamID: lastStreamID, debug: "client transport shutdown"),
            .goAway(lastStreamID: lastStreamID),
            .ping(),
        ]
        let bytes = goodbye.flatMap(\.bytes)
        if singly {
            for byte in bytes { try wire.send(bytes: [byte]) }
        } else {
            try wire.send(bytes: bytes)
        }
        #expect(wire.isOpen)
        #expect(wire.goAway == nil)
        #expect(wire.frames.last?.isAck == true)
        try wire.send(.data(Numbers.encode([1, 2]), on: 1, endStream: true))
        #expect(wire.takeFrames().last { $0.streamID == 1 }?["grpc-status"] == "0")
        #expect(!wire.isOpen)
        #expect(log.entries.allSatisfy { $0.level <= .debug && $0.message != "connection failed" })
        let words = log.entries.filter { $0.message == "the client says goodbye" }.map {
            "\($0.metadata["words"] ?? "")"
        }
        #expect(words == ["client transport shutdown", ""])
    }

    @Test(
        "h2spec 5.1/5: DATA on a stream that its client has ended is STREAM_CLOSED, before and after the response"
    )
    func dataAfterEnd() throws {
        let wire = try WireChannel.server()
        try wire.send(
            .headers(.request, on: 1, endStream: true), .data([0], on: 1, endStream: true))
        #expect(wire.goAway?.code == .streamClosed || wire.resetCode(of: 1) == .streamClosed)
    }

    @Test("h2spec 5.1/8: DATA after RST_STREAM is STREAM_CLOSED, for that stream")
    func dataAfterReset() throws {
        let wire = try WireChannel.server()
        try wire.send(.headers(.request, on: 1), .rstStream(8, on: 1), .data([0], on: 1, endStream: true))
        #expect(wire.resetCode(of: 1) == .streamClosed)
        try wire.expectSum(on: 3)
    }

    @Test("h2spec 5.1/9: HEADERS after RST_STREAM are STREAM_CLOSED, for the connection")
    func headersAfterReset() throws {
        let wire = try WireChannel.server()
        try wire.send(
            .headers(.request, on: 1), .rstStream(8, on: 1), .headers(.request, on: 1, endStream: true))
        #expect(wire.goAway?.code == .streamClosed)
        #expect(!wire.isOpen)
    }

    @Test(
        "h2spec 5.1/11: DATA on a closed stream is STREAM_CLOSED, for that stream",
        arguments: [false, true])
    func dataAfterAnswer(_ isPadded: Bool) throws {
        let wire = try WireChannel.server()
        try wire.expectSum(on: 1)
        try wire.send(.headers(.request, on: 3))
        try wire.send(.data([0], on: 1, endStream: true, padding: isPadded ? 3 : nil))
        #expect(wire.resetCode(of: 1) == .streamClosed)
        try wire.send(.data([], on: 3, endStream: true))
        #expect(wire.takeFrames().last { $0.streamID == 3 }?["grpc-status"] == "0")
    }

    @Test("h2spec 5.1/12: HEADERS on a closed stream are STREAM_CLOSED, for the connection")
    func headersAfterAnswer() throws {
        let wire = try WireChannel.server()
        try wire.expectSum(on: 1)
        try wire.send(.headers(.request, on: 1, endStream: true))
        #expect(wire.goAway?.code == .streamClosed)
        #expect(!wire.isOpen)
    }

    @Test("h2spec 6.3/1: PRIORITY on stream 0 is a PROTOCOL_ERROR")
    func priority() throws {
        let wire = try WireChannel.server()
        try wire.send(.headers(.request, on: 1), .priority(on: 1), .priority(on: 0))
        #expect(wire.goAway?.code == .protocolError)
        #expect(wire.goAway?.debug == "PRIORITY: stream_id == 0")
        #expect(!wire.isOpen)
    }

    @Test("h2spec 5.1.1/2: a new stream with a lower id than the last is a PROTOCOL_ERROR")
    func lowerStream() throws {
        let wire = try WireChannel.server()
        try wire.expectSum(on: 5)
        try wire.send(.headers(.request, on: 3, endStream: true))
        #expect(wire.goAway?.code == .protocolError)
        #expect(!wire.isOpen)
    }

    @Test("h2spec 5.1: frames in flight when we reset a stream are ignored")
    func afterOurReset() throws {
        let wire = try WireChannel.server()
        // The call ends before the client has half-closed it, and is reset a second later.
        try wire.send(.headers(.request.with(WireField(":path", "/no")), on: 1))
        try wire.advance(.seconds(1))
        #expect(wire.resetCode(of: 1) == .noError)
        _ = wire.takeFrames()
        try wire.send(
            .data([0], on: 1), .headers([WireField("x", "y")], on: 1, endStream: true),
            .windowUpdate(1, on: 1), .rstStream(8, on: 1), .priority(on: 1))
        #expect(wire.frames.isEmpty)
        try wire.expectSum(on: 3)
    }

    @Test("h2spec 5.1/8: a client that keeps sending DATA on closed streams loses the connection")
    func lateDataFlood() throws {
        let wire = try WireChannel.server()
        try wire.expectSum(on: 1)
        try wire.expectSum(on: 3)
        try wire.send(
            bytes: (0..<200).flatMap { index in WireFrame.data([0], on: index % 2 == 0 ? 1 : 3).bytes })
        #expect(wire.goAway?.debug == "too_many_resets")
        #expect(!wire.isOpen)
    }
}
