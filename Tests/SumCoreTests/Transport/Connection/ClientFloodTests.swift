import NIOCore
import NIOEmbedded
import ScriptedPeers
import Testing

@testable import SumCore

/// A client's connection against servers that flood it.
@Suite(.timeLimit(.minutes(10))) struct ClientFloodTests {
    private func open() throws -> (wire: WireChannel, caller: OneShotCaller) {
        let connection = try ClientConnection()
        let wire = try WireChannel(connection, ofClient: true)
        try wire.send(.settings(), .settingsAck)
        let caller = OneShotCaller([[8, 1]])
        _ = connection.start(GRPCRequestHead(path: SumNumbers.path), handler: caller)
        _ = wire.isOpen
        return (wire, caller)
    }

    @Test(
        "abuse-K14: a server that floods loses the connection, and the call is UNAVAILABLE for that reason",
        arguments: [.ping(), .settings(), .data([], on: 1), .windowUpdate(1), .priority(on: 1)] as [WireFrame]
    )
    func flood(_ frame: WireFrame) async throws {
        let (wire, caller) = try open()
        try wire.send(.headers(.response, on: 1))
        try wire.send(bytes: (0..<2000).flatMap { _ in frame.bytes })
        #expect(wire.goAway?.code == .enhanceYourCalm)
        #expect(wire.goAway?.debug == "too_many_frames_without_data")
        #expect(!wire.isOpen)
        let status = await caller.outcome().status
        #expect(status.code == .unavailable)
        #expect(status.message.contains("too many frames that carry no data"), "\(status)")
    }

    @Test("abuse-K14: a header bomb is not decompressed")
    func headerBomb() async throws {
        let (wire, caller) = try open()
        let block = Array(repeating: UInt8(0x88), count: 40 << 10)
        try wire.send(WireFrame(.headers, flags: .endHeaders, on: 1, payload: block))
        #expect(wire.goAway?.debug == "header_block_too_long")
        #expect(!wire.isOpen)
        let status = await caller.outcome().status
        #expect(status.code == .unavailable)
        #expect(status.message.contains("header block"), "\(status)")
    }

    @Test("abuse-K14: PUSH_PROMISE ends the connection, and the call is UNAVAILABLE")
    func push() async throws {
        let (wire, caller) = try open()
        try wire.send(.pushPromise(.request, promised: 2, on: 1))
        #expect(!wire.isOpen)
        let status = await caller.outcome().status
        #expect(status.code == .unavailable)
        #expect(status.message.contains("the response broke HTTP/2: PROTOCOL_ERROR"), "\(status)")
    }

    @Test(
        "abuse-K14: a server that resets many calls, and sends PINGs with its responses, is within its budget"
    )
    func noFlood() async throws {
        let connection = try ClientConnection()
        let wire = try WireChannel(connection, ofClient: true)
        try wire.send(.settings(), .settingsAck)
        for call in UInt32(0)..<1000 {
            let caller = OneShotCaller([[8, 1]])
            _ = connection.start(GRPCRequestHead(path: SumNumbers.path), handler: caller)
            try wire.send(.ping(), .windowUpdate(1))
            try wire.send(.rstStream(2, on: 2 * call + 1))
            #expect(await caller.outcome().status.code == .internalError)
        }
        #expect(wire.isOpen)
    }
}
