import InMemoryLogging
import Logging
import NIOCore
import NIOEmbedded
import ScriptedPeers
import Testing

@testable import SumCore

/// The server's connection against clients that break rules, or stretch them.
@Suite struct ScriptedClientTests {
    @Test("abuse-H6: padded DATA gives the right sum")
    func padding() throws {
        let wire = try WireChannel.server()
        try wire.send(.headers(.request, on: 1))
        for byte in Numbers.encode([1, 2, 3]) { try wire.send(.data([byte], on: 1, padding: 255)) }
        try wire.send(.data([], on: 1, endStream: true))
        #expect(wire.takeFrames().contains { $0.kind == .data && $0.payload == [0, 0, 0, 0, 2, 8, 6] })
        try wire.expectSum(on: 3)
    }

    @Test("grpc-S24: any number of messages is a valid call", arguments: [0, 1, 2, 10_000])
    func cardinality(_ count: Int) throws {
        let wire = try WireChannel.server()
        let numbers = Array(repeating: Int32(1), count: count)
        try wire.send(.headers(.request, on: 1))
        try wire.send(bytes: pieces(of: Numbers.encode(numbers), on: 1))
        try wire.send(.data([], on: 1, endStream: true))
        let answer = try #require(wire.takeFrames().first { $0.kind == .data })
        #expect(try Numbers.sum([answer.payload]) == Int32(count))
    }

    private func pieces(of bytes: [UInt8], on streamID: UInt32) -> [UInt8] {
        stride(from: 0, to: bytes.count, by: 16_384).flatMap {
            WireFrame.data(Array(bytes[$0..<min($0 + 16_384, bytes.count)]), on: streamID).bytes
        }
    }

    @Test(
        "grpc-S19, grpc-S20, abuse-G13, abuse-G16: a header list that HTTP/2 forbids resets its stream, and only that",
        arguments: [
            .request + [WireField("connection", "keep-alive")],
            .request + [WireField(":authority", "other")],
            .request + [WireField("host", "a"), WireField("host", "b")],
            .request.without(":authority"),
            .request.without(":path"),
            .request.with(WireField("te", "gzip")),
            .request + [WireField("Upper-Case", "x")],
        ] as [[WireField]])
    func malformed(_ fields: [WireField]) throws {
        let wire = try WireChannel.server()
        try wire.send(.headers(fields, on: 1))
        #expect(wire.resetCode(of: 1) == .protocolError)
        try wire.expectSum(on: 3)
    }

    @Test(
        "grpc-S20, grpc-S21, grpc-S22: unusual but valid requests",
        arguments: [
            .request.without("te"),
            .request.without(":authority") + [WireField("host", "a")],
            .request + [WireField("host", "other")],
            .request + [WireField("x", bytes: [0x80, 0xe9, 0xff])],
            .request + [WireField("x", "a\tb, \"c\"; d=\\"), WireField("x", "")],
        ] as [[WireField]])
    func unusual(_ fields: [WireField]) throws {
        let wire = try WireChannel.server()
        try wire.send(
            .headers(fields, on: 1), .data(Numbers.encode([1, 2]), on: 1, endStream: true))
        #expect(wire.takeFrames().last { $0.streamID == 1 }?["grpc-status"] == "0")
    }

    @Test("grpc-S17, grpc-A21: malformed base64 is refused with an HTTP and a gRPC status")
    func badBase64() throws {
        let wire = try WireChannel.server()
        try wire.send(.headers(.request + [WireField("x-bin", "?")], on: 1))
        let answer = try #require(wire.frames.first { $0.streamID == 1 })
        #expect(answer[":status"] == "400")
        #expect(answer["grpc-status"] == "13")
        #expect(answer["server"] == "grpc-swift-sum/\(Version.current)")
        try wire.advance(.seconds(1))
        #expect(wire.resetCode(of: 1) == .noError)
        try wire.expectSum(on: 3)
    }

    @Test(
        "grpc-S18, audit-P5: a header list over the limit is RESOURCE_EXHAUSTED, with both sizes; the limit is announced"
    )
    func headerList() throws {
        let wire = try WireChannel.server { $0.maxHeaderListSize = 1000 }
        #expect(wire.frames.first { $0.kind == .settings }?.setting(6) == 1000)
        let small = WireField("x", String(repeating: "v", count: 400))
        try wire.send(.headers(.request + [small, small], on: 1))
        let answer = try #require(wire.takeFrames().last { $0.streamID == 1 })
        #expect(answer.endsStream)
        #expect(answer[":status"] == "200")
        #expect(answer["grpc-status"] == "8")
        #expect(
            answer["grpc-message"]
                == "the headers of the request have 1176 bytes, and the limit is 1000")
        try wire.send(.headers(.request + [small], on: 3))
        #expect(wire.takeFrames().isEmpty)
        try wire.send(
            .headers(.request + Array(repeating: WireField("x", ""), count: 95), on: 5, endStream: true))
        #expect(
            wire.takeFrames().last?["grpc-message"]
                == "the headers of the request have 101 fields, and the limit is 100")
        try wire.send(
            .headers(.request, on: 9),
            .headers([WireField("x", String(repeating: "v", count: 1000))], on: 9, endStream: true))
        #expect(wire.takeFrames().last?["grpc-status"] == "8")
        try wire.expectSum(on: 11)
    }

    @Test("grpc-S18: a list may be longer than a frame if the limit allows it")
    func longHeaderList() throws {
        let wire = try WireChannel.server { $0.maxHeaderListSize = 100_000 }
        let long = WireField("x", String(repeating: "v", count: 16_000))
        try wire.send(
            .headers(.request, on: 1, endHeaders: false), .continuation([long], on: 1, endHeaders: false),
            .continuation([long], on: 1, endHeaders: true), .data([], on: 1, endStream: true))
        #expect(wire.takeFrames().last { $0.streamID == 1 }?["grpc-status"] == "0")
    }

    @Test("grpc-S23: streams over the limit are refused, while the client cannot know it")
    func streamsBeforeAcknowledgement() throws {
        let wire = try WireChannel.server(acknowledging: false) { $0.maxConcurrentStreams = 2 }
        #expect(wire.frames.first { $0.kind == .settings }?.setting(3) == 2)
        try wire.send(.headers(.request, on: 1), .headers(.request, on: 3), .headers(.request, on: 5))
        #expect(wire.resetCode(of: 5) == .refusedStream)
        #expect(wire.resetCode(of: 1) == nil)
        try wire.send(.rstStream(8, on: 1))
        try wire.expectSum(on: 7)
    }

    @Test("grpc-S23, audit-P7: after that the other calls go on too, until the client exceeds its budget")
    func streamsOverTheLimit() throws {
        let log = InMemoryLogHandler()
        let wire = try WireChannel.server(log: log) { $0.maxConcurrentStreams = 2 }
        try wire.send(.headers(.request, on: 1), .headers(.request, on: 3), .headers(.request, on: 5))
        #expect(wire.resetCode(of: 5) == .refusedStream)
        #expect(log.refusals == ["there are 2 calls already"])
        try wire.send(.data([], on: 1, endStream: true))
        #expect(wire.takeFrames().last { $0.streamID == 1 }?["grpc-status"] == "0")
        try wire.expectSum(on: 7)
        try wire.send(.headers(.request, on: 9))
        for call in UInt32(0)..<200 where wire.isOpen {
            try wire.send(.headers(.request, on: 11 + 2 * call))
        }
        #expect(wire.goAway?.debug == "too_many_resets")
        #expect(!wire.isOpen)
    }

    @Test("grpc-S15: a client's CANCEL gets no response, and counts as CANCELLED")
    func cancel() throws {
        let log = InMemoryLogHandler()
        let wire = try WireChannel.server(log: log)
        try wire.send(.headers(.request, on: 1), .data([0, 0], on: 1))
        _ = wire.takeFrames()
        try wire.send(.rstStream(HTTP2ErrorCode.cancel.rawValue, on: 1))
        #expect(wire.frames.isEmpty)
        #expect(log.callStatuses.map { $0.hasPrefix("CANCELLED") } == [true])
        try wire.expectSum(on: 3)
    }

    @Test("grpc-S16: the calls of a lost connection count as CANCELLED")
    func lost() throws {
        let log = InMemoryLogHandler()
        let wire = try WireChannel.server(log: log)
        try wire.send(.headers(.request, on: 1), .headers(.request, on: 3))
        wire.close()
        #expect(log.callStatuses.map { $0.hasPrefix("CANCELLED") } == [true, true])
    }

    @Test("grpc-A19: a PING is acknowledged with its payload during a call")
    func ping() throws {
        let wire = try WireChannel.server()
        try wire.send(
            .headers(.request, on: 1), .data([0, 0, 0], on: 1), .ping([1, 2, 3, 4, 5, 6, 7, 8]),
            .data([0, 2, 8, 7], on: 1))
        let answers = wire.takeFrames().filter { $0.kind == .ping }
        #expect(answers == [.ping([1, 2, 3, 4, 5, 6, 7, 8], ack: true)])
        try wire.send(.data([], on: 1, endStream: true))
        #expect(wire.takeFrames().first { $0.kind == .data }?.payload == [0, 0, 0, 0, 2, 8, 7])
    }

    @Test("Frames of unknown types and useless ones are ignored")
    func ignored() throws {
        let wire = try WireChannel.server()
        try wire.send(
            WireFrame(WireFrame.Kind(rawValue: 0xfa), on: 7, payload: [1, 2, 3]), .priority(on: 9),
            .windowUpdate(1))
        try wire.expectSum(on: 1)
    }
}
