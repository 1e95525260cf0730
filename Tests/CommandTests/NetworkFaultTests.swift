import Foundation
import ScriptedPeers
import Testing

/// Connections that end during calls, half-closed connections, and servers that stop while calls arrive.
@Suite(.timeLimit(.minutes(10))) struct NetworkFaultTests {
    @Test("abuse-L1: SIGTERM with fifty open calls: two GOAWAYs, fifty sums, no new connection")
    func drain() async throws {
        let server = try await ServerProcess()
        let streams = (0..<50).map { UInt32(2 * $0 + 1) }
        let frames = try await Tool.offload {
            Result {
                let client = try server.connect()
                for stream in streams {
                    try client.send(.headers(.request, on: stream), .data(.number(5), on: stream))
                }
                // Once the server has received the last one.
                try client.send(.ping())
                _ = try client.receive(.ping, ack: true)
                server.signal(SIGTERM)
                var frames = [try client.receive(.goAway)]
                let ping = try client.receive(.ping)
                #expect(throws: WireSocket.Failure.self) { try WireSocket(connectingTo: server.address) }
                if let ping { try client.send(.ping(ping.payload, ack: true)) }
                frames.append(try client.receive(.goAway))
                for stream in streams { try client.send(.data(.number(2), on: stream, endStream: true)) }
                return frames.compactMap { $0 } + (try client.receiveAll())
            }
        }.get()
        #expect(frames.filter { $0.kind == .goAway }.map(\.lastStreamID) == [0x7fff_ffff, 99])
        #expect(frames.filter { $0.kind == .goAway }.map(\.errorCode) == [0, 0])
        let sums = frames.filter { $0.kind == .data && $0.payload == .number(7) }.map(\.streamID)
        #expect(Set(sums) == Set(streams))
        #expect(frames.filter { $0["grpc-status"] == "0" }.count == 50)
        #expect(await server.ended().status == 0)
    }

    @Test("abuse-L4: a call between the GOAWAYs is served, a later one is not")
    func lateCalls() async throws {
        let server = try await ServerProcess()
        let frames = try await Tool.offload {
            Result {
                let client = try server.connect()
                // Keeps the connection while it drains.
                try client.send(.headers(.request, on: 1), .ping())
                _ = try client.receive(.ping, ack: true)
                server.signal(SIGTERM)
                _ = try client.receive(.goAway)
                let ping = try client.receive(.ping)
                try client.callForSum(on: 3)
                if let ping { try client.send(.ping(ping.payload, ack: true)) }
                let last = try client.receive(.goAway)
                // Like a client that receives the GOAWAY late.
                try client.send(.headers(.request, on: 5), .data(.number(1), on: 5), .rstStream(8, on: 5))
                try client.send(.data([], on: 1, endStream: true))
                return [last].compactMap { $0 } + (try client.receiveAll())
            }
        }.get()
        #expect(frames.first?.lastStreamID == 3)
        #expect(frames.contains { $0.streamID == 1 && $0["grpc-status"] == "0" })
        #expect(!frames.contains { $0.streamID == 5 })
        #expect(await server.ended().status == 0)
    }

    @Test("abuse-L5: clients that are killed during calls leave nothing behind")
    func killedClients() async throws {
        let server = try await ServerProcess("sum-server", ServerProcess.tracing)
        try server.callForSum()
        await server.waitForCall()
        let before = try server.footprint()
        for _ in 0..<Scale.count(5, full: 1000) {
            let call = try OpenCall(server.address)
            await server.waitForCall()
            try #require(call.killTool())
            #expect(await call.ended().output.isEmpty)
        }
        try await server.expectUnharmed(since: before)
        #expect(await server.stop().status == 0)
    }

    @Test("abuse-L7: a server can start at the address of one that has just ended with open connections")
    func restart() async throws {
        let first = try await ServerProcess("sum-server", ServerProcess.replaceable)
        let call = try OpenCall(first.address)
        await first.waitForCall()
        first.signal(SIGTERM)
        first.signal(SIGTERM)
        _ = await first.ended()
        let second = try await ServerProcess("sum-server", ["--listen", first.address])
        #expect(second.address == first.address)
        #expect(try await Tool.run("sum-client", ["--target", first.address, "5"]).output == "5\n")
        #expect(await call.ended().output.isEmpty)
        #expect(await second.stop().status == 0)
    }

    @Test("abuse-L8: when the network is lost each side ends after its keepalive time and timeout")
    func deadNetwork() async throws {
        let server = try await ServerProcess(
            "sum-server",
            ServerProcess.tracing + ["--keepalive-time", "1s", "--keepalive-timeout", "200ms"])
        let proxy = try StallingProxy(to: server.address)
        let call = try OpenCall(
            proxy.address, ["--keepalive-time", "10s", "--keepalive-timeout", "200ms"])
        await server.waitForCall()
        proxy.stall()
        // The client's PINGs are at least ten seconds apart.
        await server.waitFor("has not answered a PING")
        await server.waitFor("status=CANCELLED")
        let result = await call.ended()
        #expect(result.output.isEmpty)
        #expect(result.errors.contains("UNAVAILABLE: "))
        #expect(result.errors.contains("has not answered a PING"))
        #expect(result.status == 78)
        proxy.end()
        #expect(await server.stop().status == 0)
    }

    @Test(
        "abuse-L9: a client that shuts down its side of TCP gets its response after END_STREAM, and none before"
    )
    func halfClose() async throws {
        let answers = try await ServerProcess.attacked { server in
            try [true, false].map { hasEnded in
                let client = try server.connect()
                try client.send(.headers(.request, on: 1), .data(.number(5), on: 1, endStream: hasEnded))
                client.endSending()
                return RequestCase.Outcome(try client.receiveAnswer())
            }
        }
        #expect(answers == [.sum(5), .closed])
    }
}
