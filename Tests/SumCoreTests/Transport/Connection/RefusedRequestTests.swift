import InMemoryLogging
import Logging
import NIOCore
import ScriptedPeers
import Testing

@testable import SumCore

/// Requests that break a rule of HTTP, or only seem to, and what is logged about them.
@Suite struct RefusedRequestTests {
    @Test(
        "audit-P6: a request that is reset for its headers is logged with the reason",
        arguments: [
            (
                .request + [WireField("connection", "keep-alive")],
                "HTTP/2 forbids the field 'connection', here 'keep-alive'"
            ),
            (
                .request + [WireField("transfer-encoding", "x")],
                "HTTP/2 forbids the field 'transfer-encoding', here 'x'"
            ),
            (.request + [WireField(":path", "/")], "the pseudo-header ':path' comes after other fields"),
            ([WireField(":path", "/")] + .request, "':path' occurs twice"),
            ([WireField(":protocol", "x")] + .request, "unknown pseudo-header ':protocol'"),
            ([WireField(":status", "200")] + .request, "':status' is only for responses"),
            (.request + [WireField("host", "a"), WireField("host", "b")], "'host' occurs twice"),
            (.request.without(":authority"), "there is neither ':authority' nor 'host'"),
            (.request.without(":path"), "there is no ':path'"),
            (.request.without(":method"), "there is no ':method'"),
            (.request.without(":scheme"), "there is no ':scheme'"),
            (.request.with(WireField(":scheme", "")), "':scheme' is not valid: ''"),
            (.request.with(WireField(":method", "")), "the value of ':method' is not valid: ''"),
            (.request.with(WireField(":path", "x")), "':path' does not begin with '/': 'x'"),
            (.request.with(WireField(":path", "/ x")), "the value of ':path' is not valid: '/ x'"),
            (.request.with(WireField("te", "gzip")), "HTTP/2 allows 'te' to be 'trailers' only, not 'gzip'"),
            (.request + [WireField("Upper-Case", "x")], "the field name 'Upper-Case' has upper-case letters"),
            (.request + [WireField("a b", "x")], "the field name 'a b' has characters that HTTP forbids"),
            (.request + [WireField("", "x")], "the field name '' has characters that HTTP forbids"),
            (.request + [WireField("x", "a\0b")], "the value of 'x' is not valid: 'a\\0b'"),
            (.request + [WireField("content-length", "-1")], "'content-length' is not a number: '-1'"),
            (
                .request + [WireField("content-length", "7"), WireField("content-length", "7")],
                "'content-length' occurs twice"
            ),
        ] as [([WireField], String)])
    func refusedRequest(_ fields: [WireField], _ reason: String) throws {
        let log = InMemoryLogHandler()
        let wire = try WireChannel.server(log: log)
        try wire.send(.headers(fields, on: 1))
        #expect(wire.resetCode(of: 1) == .protocolError)
        #expect(log.refusals == [reason])
        #expect(log.entries.last?.metadata["peer"] != nil)
        try wire.expectSum(on: 3)
    }

    @Test(
        "audit-P6: a request that is reset for its body or trailers is logged, and its call ends with the reason"
    )
    func refusedBody() throws {
        let log = InMemoryLogHandler()
        let wire = try WireChannel.server(log: log)
        func call(_ streamID: UInt32, _ length: String) -> WireFrame {
            .headers(.request + [WireField("content-length", length)], on: streamID)
        }
        try wire.send(call(1, "2"), .data([0, 0, 0], on: 1), .data([0, 0], on: 1, endStream: true))
        try wire.send(call(3, "4"), .data([0, 0, 0], on: 3, endStream: true))
        try wire.send(.headers(.request, on: 5), .headers([WireField("x", "y")], on: 5))
        try wire.send(.headers(.request, on: 7), .headers([WireField(":path", "/")], on: 7, endStream: true))
        try wire.send(
            .headers(.request + [WireField("content-length", "9")], on: 9, endStream: true))
        let reasons = [
            "'content-length' says 2 bytes, but more came", "'content-length' says 4 bytes, but 3 came",
            "the trailers do not end the stream", "the trailers have the pseudo-header ':path'",
            "'content-length' says 9 bytes, but 0 came",
        ]
        #expect(log.refusals == reasons)
        for streamID in [1, 3, 5, 7, 9] as [UInt32] {
            #expect(wire.resetCode(of: streamID) == .protocolError)
        }
        #expect(log.callStatuses == reasons.prefix(4).map { "INTERNAL: the request broke HTTP/2: \($0)" })
        try wire.expectSum(on: 11)
    }

    @Test("audit-P6: lines about reset requests are limited and counted")
    func refusalLimit() {
        let log = InMemoryLogHandler()
        var logger = Logger(label: "test") { _ in log }
        let start = NIODeadline.uptimeNanoseconds(0)
        ThrottledLog(logger: logger, now: start).requestRefused("r", of: Peer(address: "here"), at: start)
        #expect(log.entries.isEmpty)
        logger.logLevel = .debug
        let offences = ThrottledLog(logger: logger, lines: 10, now: start)
        for _ in 0..<100 { offences.requestRefused("r", of: Peer(address: "here"), at: start) }
        offences.connectionFailed(CloseReason.pings.description, of: Peer(address: "here"), at: start)
        #expect(log.entries.count == 11)
        offences.requestRefused("r", of: Peer(address: "here"), at: start + .seconds(1))
        #expect("\(log.entries.last?.metadata["not-logged-before"] ?? "")" == "90")
    }

    @Test(
        "audit-P4: white space around values harms no call",
        arguments: [
            .request + [WireField("x", " a")], .request + [WireField("x", "a \t"), WireField("y", " ")],
            .request.with(WireField("content-type", " application/grpc ")),
            .request + [WireField("grpc-timeout", " 1H ")],
            .request + [WireField("grpc-encoding", "identity ")], .request + [WireField("x-bin", " AQI ")],
        ] as [[WireField]])
    func whiteSpace(_ fields: [WireField]) throws {
        let wire = try WireChannel.server()
        try wire.send(
            .headers(fields, on: 1), .data(Numbers.encode([1, 2]), on: 1, endStream: true))
        #expect(wire.takeFrames().last { $0.streamID == 1 }?["grpc-status"] == "0")
    }

    @Test(
        "audit-P8: an authority that is empty, or a path, is accepted",
        arguments: [
            .request.with(WireField(":authority", "")),
            .request.with(WireField(":authority", "/tmp/sum.sock")),
            .request.with(WireField(":authority", "%2Ftmp%2Fsum.sock")),
            .request.with(WireField(":authority", "user@host")),
            .request.without(":authority") + [WireField("host", "")],
        ] as [[WireField]])
    func authority(_ fields: [WireField]) throws {
        let wire = try WireChannel.server()
        try wire.send(
            .headers(fields, on: 1), .data(Numbers.encode([1, 2]), on: 1, endStream: true))
        #expect(wire.takeFrames().last { $0.streamID == 1 }?["grpc-status"] == "0")
    }

    @Test("grpc-S2, audit-P7: another HTTP method is 405, with the allowed method")
    func verb() throws {
        let wire = try WireChannel.server()
        try wire.send(.headers(.request.with(WireField(":method", "GET")), on: 1, endStream: true))
        let answer = try #require(wire.frames.last)
        #expect(answer[":status"] == "405")
        #expect(answer["allow"] == "POST")
    }
}
