import NIOCore
import NIOEmbedded
import ScriptedPeers
import Testing

@testable import SumCore

@Suite(.timeLimit(.minutes(10))) struct ClientKeepaliveTests {
    private func open(withoutCalls: Bool = false) throws -> (wire: WireChannel, connection: ClientConnection)
    {
        let keepalive = Keepalive(
            time: .seconds(10), timeout: .seconds(20), withoutCalls: withoutCalls, now: .now())
        let connection = try ClientConnection(keepalive: keepalive)
        let wire = try WireChannel(connection, ofClient: true)
        try wire.send(.settings(), .settingsAck)
        return (wire, connection)
    }

    private func call(on connection: ClientConnection) -> OneShotCaller {
        let caller = OneShotCaller([[8, 1]])
        _ = connection.start(GRPCRequestHead(path: SumNumbers.path), handler: caller)
        return caller
    }

    private func pings(_ wire: WireChannel) -> Int {
        wire.takeFrames().count { $0.kind == .ping && !$0.isAck }
    }

    @Test(
        "grpc-K6, grpc-K7: a silent server is sent a PING during calls, and lost if it does not respond"
    )
    func silence() async throws {
        let (wire, connection) = try open()
        let caller = call(on: connection)
        try wire.advance(.seconds(9))
        #expect(pings(wire) == 0)
        try wire.advance(.seconds(1))
        #expect(pings(wire) == 1)
        try wire.advance(.seconds(19))
        #expect(wire.isOpen)
        try wire.advance(.seconds(1))
        #expect(!wire.isOpen)
        let status = await caller.outcome().status
        #expect(status.code == .unavailable)
        #expect(status.message.contains("has not answered a PING"))
    }

    @Test("grpc-K6: any bytes postpone the PING, and a response keeps the connection")
    func activity() throws {
        let (wire, connection) = try open()
        _ = call(on: connection)
        try wire.advance(.seconds(9))
        try wire.send(.windowUpdate(1))
        try wire.advance(.seconds(9))
        #expect(pings(wire) == 0)
        try wire.advance(.seconds(1))
        #expect(pings(wire) == 1)
        try wire.send(.ping(Keepalive.pingPayload.bigEndianBytes, ack: true))
        try wire.advance(.seconds(9))
        #expect(wire.isOpen)
    }

    @Test("grpc-K6: without calls no PING is sent, unless requested", arguments: [false, true])
    func idle(_ withoutCalls: Bool) throws {
        let (wire, _) = try open(withoutCalls: withoutCalls)
        try wire.advance(.seconds(15))
        #expect(pings(wire) == (withoutCalls ? 1 : 0))
    }

    @Test(
        "grpc-K6: at least ten seconds, doubled after too_many_pings, which the status shows"
    )
    func tooManyPings() async throws {
        let server = try ScriptedServer { peer in
            try peer.send(.settings(), .settingsAck)
            _ = try peer.receive(.data)
            try peer.send(.goAway(lastStreamID: 1, code: 11, debug: "too_many_pings"))
        }
        var configuration = GRPCClient.Configuration()
        configuration.connectTimeout = .seconds(60)
        configuration.keepaliveTime = .seconds(1)
        let client = GRPCClient(target: try Target(server.address), configuration: configuration)
        #expect(client.keepalive?.time == .seconds(10))
        let call = client.sumNumbers()
        try await call.send(1)
        let error = await #expect(throws: GRPCStatus.self) { try await call.closeAndReceive() }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("ENHANCE_YOUR_CALM, too_many_pings") == true)
        await client.close()
        try await server.end()
        #expect(client.keepalive?.time == .seconds(20))
    }
}

extension UInt64 {
    fileprivate var bigEndianBytes: [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: self >> (56 - 8 * $0)) }
    }
}
