import NIOCore
import ScriptedPeers
import SwiftProtobuf
import Testing

@testable import SumCore

@Suite(.timeLimit(.minutes(10))) struct ClientObserverTests {
    private enum Note: Sendable {
        case opened(Peer)
        case closed(Peer, String?)
        case ended(ClientCallRecord)
    }

    /// Passes on what it is told, in order.
    private struct Observer: ClientObserver {
        let continuation: AsyncStream<Note>.Continuation

        func connectionOpened(_ peer: Peer) { continuation.yield(.opened(peer)) }
        func connectionClosed(_ peer: Peer, _ reason: String?) { continuation.yield(.closed(peer, reason)) }
        func callEnded(_ call: ClientCallRecord) { continuation.yield(.ended(call)) }
    }

    /// A client and what its observer is told.
    private struct Observed {
        let client: GRPCClient
        private let continuation: AsyncStream<Note>.Continuation
        private var notes: AsyncStream<Note>.Iterator

        init(_ address: String, _ change: (inout GRPCClient.Configuration) -> Void = { _ in }) throws {
            let (stream, continuation) = AsyncStream<Note>.makeStream()
            var configuration = GRPCClient.Configuration()
            configuration.connectTimeout = .seconds(60)
            configuration.observers = [Observer(continuation: continuation)]
            change(&configuration)
            client = GRPCClient(target: try Target(address), configuration: configuration)
            notes = stream.makeAsyncIterator()
            self.continuation = continuation
        }

        /// Waits for it.
        mutating func next() async -> Note? { await notes.next() }

        /// Closes the client.
        ///
        /// - Returns: what was told that `next` has not taken.
        mutating func rest() async -> [Note] {
            await client.close()
            // What was to be told on the event loop has been.
            try? await client.eventLoop.submit {}.get()
            continuation.finish()
            var rest: [Note] = []
            while let note = await notes.next() { rest.append(note) }
            return rest
        }

        mutating func endedCall() async throws -> ClientCallRecord {
            guard case .ended(let call) = try #require(await notes.next()) else {
                throw GRPCStatus(code: .unknown, message: "told of something else than the end of a call")
            }
            return call
        }
    }

    /// Answers a call with the sum 7, once it has been sent.
    private static func answer(_ peer: WireSocket) throws {
        let end = try #require(try peer.receive { $0.endsStream })
        try peer.send(
            .headers(.response, on: end.streamID), .data([0, 0, 0, 0, 2, 8, 7], on: end.streamID),
            .headers(.trailers(0), on: end.streamID, endStream: true))
    }

    // MARK: Connections

    @Test("A connection is told of when it is ready and when it is closed, and its calls in between")
    func connection() async throws {
        let server = try ScriptedServer { peer in
            try peer.send(.settings(), .settingsAck)
            for _ in 0..<2 { try Self.answer(peer) }
            _ = try peer.receiveAll()
        }
        var observed = try Observed(server.address)
        let client = observed.client
        for _ in 0..<2 { #expect(try await client.sum(of: [1, 2]) == 7) }
        let notes = await observed.rest()
        try await server.end()
        guard notes.count == 4, case .opened(let opened) = notes[0], case .ended(let call) = notes[1],
            case .ended = notes[2], case .closed(let closed, let reason) = notes[3]
        else {
            Issue.record("\(notes)")
            return
        }
        #expect(opened == Peer(address: server.address))
        #expect(closed == opened)
        #expect(reason == nil)
        #expect(call.peer == opened)
        #expect(call.path == SumNumbers.path)
        #expect(call.status == .ok)
        #expect(call.attempts == 1)
        #expect([call.bytesSent, call.bytesReceived] == [14, 7])
        #expect(call.duration > .zero)
    }

    @Test(
        "Why a connection was lost is told in words",
        arguments: [
            (
                WireFrame.goAway(lastStreamID: 0, code: 11, debug: "too_many\npings"),
                "the server said ENHANCE_YOUR_CALM, \("too_many\npings".escapedForDisplay)"
            ),
            (.goAway(lastStreamID: 0), "the server said NO_ERROR"),
            (
                WireFrame(.data, payload: [0]),
                "the other side broke a rule of HTTP/2: PROTOCOL_ERROR, DATA: stream_id == 0"
            ),
            (.ping(), nil),
        ] as [(WireFrame, String?)])
    func loss(_ lastFrame: WireFrame, _ expected: String?) async throws {
        let server = try ScriptedServer { peer in
            try peer.send(.settings(), .settingsAck)
            _ = try peer.receive { $0.kind == .settings && $0.isAck }
            try peer.send(lastFrame)
            if lastFrame.kind == .ping {
                _ = try peer.receive(.ping, ack: true)
            } else {
                _ = try peer.receiveAll()
            }
        }
        var observed = try Observed(server.address)
        try await observed.client.connect()
        guard case .opened = await observed.next(), case .closed(let peer, let reason) = await observed.next()
        else {
            Issue.record("told of something else")
            return
        }
        #expect(peer == Peer(address: server.address))
        #expect(reason == expected)
        let rest = await observed.rest()
        #expect(rest.isEmpty)
        try await server.end()
    }

    @Test("A connection that never became ready is not told of; the call that wanted it is, without a peer")
    func noConnection() async throws {
        let server = try ScriptedServer { peer in try peer.send(bytes: Array("HTTP/1.1 400 No\r\n\r\n".utf8))
        }
        var observed = try Observed(server.address)
        let client = observed.client
        let status = await #expect(throws: GRPCStatus.self) { try await client.sum(of: [1]) }
        let notes = await observed.rest()
        try await server.end()
        guard notes.count == 1, case .ended(let call) = notes[0] else {
            Issue.record("\(notes)")
            return
        }
        #expect(call.status == status)
        #expect(call.status.code == .unavailable)
        #expect(call.peer == nil)
        #expect([call.attempts, call.bytesSent, call.bytesReceived] == [0, 0, 0])
    }

    // MARK: Calls

    @Test("A call that is made again after REFUSED_STREAM is one record of two attempts")
    func attempts() async throws {
        let server = try ScriptedServer { peer in
            try peer.send(.settings(), .settingsAck)
            let refused = try #require(try peer.receive { $0.endsStream })
            try peer.send(.rstStream(7, on: refused.streamID))
            try Self.answer(peer)
            _ = try peer.receiveAll()
        }
        var observed = try Observed(server.address)
        let client = observed.client
        #expect(try await client.sum(of: [1, 2, 3]) == 7)
        let notes = await observed.rest()
        try await server.end()
        guard notes.count == 3, case .ended(let call) = notes[1] else {
            Issue.record("\(notes)")
            return
        }
        #expect(call.status == .ok)
        #expect(call.attempts == 2)
        // The numbers were given to both attempts.
        #expect(call.bytesSent == 2 * 21)
        #expect(call.bytesReceived == 7)
        #expect(call.peer == Peer(address: server.address))
    }

    @Test("Attempts on several connections are one call; its peer is that of the last")
    func connections() async throws {
        let server = try ScriptedServer { peer, number in
            try peer.send(.settings(), .settingsAck)
            _ = try peer.receive { $0.endsStream }
            guard number == 2 else { return }
            try peer.send(.headers(.response + .trailers(5, "gone"), on: 1, endStream: true))
            _ = try peer.receiveAll()
        }
        var observed = try Observed(server.address)
        let client = observed.client
        await #expect(throws: GRPCStatus(code: .notFound, message: "gone")) {
            var options = GRPCCallOptions()
            options.maxRetries = 2
            return try await client.sum(of: [1], options: options)
        }
        let notes = await observed.rest()
        try await server.end()
        let calls = notes.compactMap { if case .ended(let call) = $0 { call } else { nil } }
        #expect(calls.map(\.attempts) == [3])
        #expect(calls.first?.bytesSent == 21)
        #expect(calls.first?.status == GRPCStatus(code: .notFound, message: "gone"))
        #expect(notes.count == 7)
    }

    @Test("A call that an interceptor refuses has a record without attempts")
    func refused() async throws {
        struct Refusing: ClientInterceptor {
            func prepare(_ path: String, _ options: inout GRPCCallOptions) throws(GRPCStatus) {
                throw GRPCStatus(code: .unauthenticated, message: "no token")
            }
        }
        var observed = try Observed("127.0.0.1:1") { $0.interceptors = [Refusing()] }
        let refused = observed.client.sumNumbers()
        await #expect(throws: GRPCStatus.self) { try await refused.closeAndReceive() }
        let call = try await observed.endedCall()
        #expect(call.status == GRPCStatus(code: .unauthenticated, message: "no token"))
        #expect(call.attempts == 0)
        #expect(call.peer == nil)
        let rest = await observed.rest()
        #expect(rest.isEmpty)
    }

    @Test("A call that is cancelled has a record too, with what it had sent")
    func cancelled() async throws {
        let server = try ScriptedServer { peer in
            try peer.send(.settings(), .settingsAck)
            _ = try peer.receive(.data)
            try peer.send(.headers(.response, on: 1))
            _ = try peer.receiveAll()
        }
        var observed = try Observed(server.address)
        let call: GRPCClientCall<Tutorial_NumberRequest, Tutorial_NumberResponse> = observed.client.call(
            SumNumbers.path)
        try await call.send(Tutorial_NumberRequest.with { $0.num = 1 })
        _ = try await call.responseMetadata()
        call.cancel()
        _ = await call.ended()
        guard case .opened = await observed.next() else { return }
        let record = try await observed.endedCall()
        #expect(record.status.code == .cancelled)
        #expect(record.attempts == 1)
        #expect([record.bytesSent, record.bytesReceived] == [7, 0])
        let rest = await observed.rest()
        #expect(rest.count == 1)
        try await server.end()
    }
}
