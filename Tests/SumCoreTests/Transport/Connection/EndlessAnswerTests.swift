import NIOCore
import NIOEmbedded
import ScriptedPeers
import Testing

@testable import SumCore

/// Responses that do not end by themselves.
@Suite(.timeLimit(.minutes(10))) struct EndlessAnswerTests {
    /// A call on a server that has sent its SETTINGS and has received the request.
    private func open() throws -> (WireChannel, OneShotCaller) {
        let connection = try ClientConnection()
        let wire = try WireChannel(connection, ofClient: true)
        try wire.send(.settings(), .settingsAck)
        let caller = OneShotCaller([[8, 1]])
        _ = connection.start(GRPCRequestHead(path: SumNumbers.path), handler: caller)
        try wire.advance(.zero)
        _ = wire.takeFrames()
        return (wire, caller)
    }

    @Test("audit-M7: endless 1xx responses end the call, and the stream is cancelled")
    func informational() async throws {
        let (wire, caller) = try open()
        for _ in 0..<33 { try wire.send(.headers([WireField(":status", "103")], on: 1)) }
        #expect(wire.resetCode(of: 1) == .cancel)
        #expect(wire.isOpen)
        let status = await caller.outcome().status
        #expect(status.code == .internalError)
        #expect(status.message.contains("1xx"))
    }

    private static let foreign: [WireField] = [
        WireField(":status", "502"), WireField("content-type", "text/html"),
    ]

    @Test("audit-M7: an endless body that is not gRPC is read until there is enough to quote")
    func foreignBody() async throws {
        let (wire, caller) = try open()
        try wire.send(.headers(Self.foreign, on: 1), .data(Array(repeating: 0x61, count: 255), on: 1))
        #expect(wire.resetCode(of: 1) == nil)
        try wire.send(.data(Array(repeating: 0x62, count: 1_000), on: 1))
        #expect(wire.resetCode(of: 1) == .cancel)
        let status = await caller.outcome().status
        #expect(status.code == .unavailable)
        #expect(status.message.hasSuffix("aab\""))
    }

    @Test("audit-M7: a stalled body that is not gRPC is waited for one second")
    func slowForeignBody() async throws {
        let (wire, caller) = try open()
        try wire.send(.headers(Self.foreign, on: 1), .data(Array("one moment".utf8), on: 1))
        try wire.advance(.milliseconds(999))
        #expect(wire.resetCode(of: 1) == nil)
        try wire.advance(.milliseconds(1))
        #expect(wire.resetCode(of: 1) == .cancel)
        #expect(await caller.outcome().status.message.hasSuffix("\"one moment\""))
    }

    @Test(
        "audit-M7: the status of a response that is not gRPC survives its connection or stream",
        arguments: 0..<3)
    func foreignAndLost(_ end: Int) async throws {
        let (wire, caller) = try open()
        try wire.send(.headers(Self.foreign, on: 1), .data(Array("bad".utf8), on: 1))
        switch end {
        case 0: wire.close()
        case 1: try wire.send(.rstStream(2, on: 1))
        default: try wire.send(.data([1], on: 0))
        }
        let status = await caller.outcome().status
        #expect(status.code == .unavailable)
        #expect(
            status.message == "the response is not gRPC: HTTP status 502, content-type 'text/html': \"bad\"")
    }
}
