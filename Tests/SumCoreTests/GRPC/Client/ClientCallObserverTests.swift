import NIOCore
import ScriptedPeers
import SwiftProtobuf
import Synchronization
import Testing

@testable import SumCore

@Suite(.timeLimit(.minutes(10))) struct ClientCallObserverTests {
    /// Observes all calls, and adds to the metadata of each attempt which one it is.
    private final class Observer: ClientObserver, ClientCallObserver {
        struct State: Sendable {
            var calls: [ClientCallStart] = []
            var begun: [ClientAttemptStart] = []
            var ended: [ClientAttemptRecord] = []
            var records: [ClientCallRecord] = []
            var sent: [ObservedMessage] = []
            var received: [ObservedMessage] = []
        }

        let state = Mutex(State())
        let messageLimit: Int
        let trace: TraceContext? = TraceContext(traceID: 1, spanID: 2, flags: 0)
        /// Yields when a call has ended.
        let ends: AsyncStream<Void>
        private let end: AsyncStream<Void>.Continuation

        init(messageLimit: Int = 0) {
            self.messageLimit = messageLimit
            (ends, end) = AsyncStream.makeStream()
        }

        var seen: State { state.withLock { $0 } }

        func callBegan(_ call: ClientCallStart) -> (any ClientCallObserver)? {
            state.withLock { $0.calls.append(call) }
            return self
        }

        func attemptBegan(_ attempt: inout ClientAttemptStart) {
            try? attempt.metadata.add("x-attempt", "\(attempt.number)")
            state.withLock { [attempt] in $0.begun.append(attempt) }
        }

        func messageSent(_ message: ObservedMessage) { state.withLock { $0.sent.append(message) } }
        func messageReceived(_ message: ObservedMessage) { state.withLock { $0.received.append(message) } }
        func attemptEnded(_ attempt: ClientAttemptRecord) { state.withLock { $0.ended.append(attempt) } }

        func ended(_ call: ClientCallRecord) {
            state.withLock { $0.records.append(call) }
            end.yield()
        }
    }

    private func client(_ address: String, _ observer: Observer) throws -> GRPCClient {
        var configuration = GRPCClient.Configuration()
        configuration.connectTimeout = .seconds(60)
        configuration.observers = [observer]
        return GRPCClient(target: try Target(address), configuration: configuration)
    }

    @Test("Each attempt is told of, with its own metadata; one that no method has seen does not count")
    func attempts() async throws {
        let server = try ScriptedServer { peer in
            try peer.send(.settings(), .settingsAck)
            for (attempt, answer) in [
                WireFrame.rstStream(7, on: 1), .headers(.response + .trailers(14), on: 3, endStream: true),
            ].enumerated() {
                let head = try #require(try peer.receive(.headers))
                #expect(head["x-attempt"] == "\(attempt)")
                _ = try peer.receive { $0.endsStream }
                try peer.send(answer)
            }
            let head = try #require(try peer.receive(.headers))
            #expect(head["x-attempt"] == "2")
            #expect(head["grpc-previous-rpc-attempts"] == "1")
            _ = try peer.receive { $0.endsStream }
            try peer.send(
                .headers(.response, on: 5), .data([0, 0, 0, 0, 2, 8, 7], on: 5),
                .headers(.trailers(0), on: 5, endStream: true))
            _ = try peer.receiveAll()
        }
        let observer = Observer()
        let client = try client(server.address, observer)
        var options = GRPCCallOptions(timeout: .seconds(600))
        options.maxRetries = 3
        try options.metadata.add("x-one", "1")
        #expect(try await client.sum(of: [1, 2, 3], options: options) == 7)
        await client.close()
        try await server.end()
        let seen = observer.seen
        #expect(seen.calls.map(\.path) == [SumNumbers.path])
        #expect(seen.calls.map(\.target) == ["dns:///\(server.address)"])
        #expect(seen.calls.map(\.timeout) == [.seconds(600)])
        #expect(seen.calls.map { $0.metadata["x-one"] } == [["1"]])
        #expect(seen.begun.map(\.number) == [0, 1, 2])
        #expect(seen.begun.map(\.previousAttempts) == [0, 0, 1])
        #expect(seen.begun.map(\.isTransparentRetry) == [false, true, false])
        #expect(
            seen.begun.allSatisfy {
                $0.peer == Peer(address: server.address) && $0.metadata["x-one"] == ["1"]
            })
        #expect(seen.ended.map(\.number) == [0, 1, 2])
        #expect(seen.ended.map(\.status.code) == [.unavailable, .unavailable, .ok])
        #expect(seen.ended.map(\.messages) == [0, 0, 1].map { MessageCounts(received: $0, sent: 3) })
        #expect(seen.ended.map(\.messageBytesSent) == [6, 6, 6])
        #expect(seen.ended.map(\.messageBytesReceived) == [0, 0, 2])
        let record = try #require(seen.records.first)
        #expect(seen.records.count == 1)
        #expect(record.attempts == 3)
        #expect(record.transparentRetries == 1)
        #expect(record.messages == MessageCounts(received: 1, sent: 9))
        #expect(record.trace == TraceContext(traceID: 1, spanID: 2, flags: 0))
    }

    @Test("A call that finds no connection has no attempts")
    func noConnection() async throws {
        let server = try ScriptedServer { peer in try peer.send(bytes: Array("HTTP/1.1 400 No\r\n\r\n".utf8))
        }
        let observer = Observer()
        let client = try client(server.address, observer)
        await #expect(throws: GRPCStatus.self) { try await client.sum(of: [1]) }
        for await _ in observer.ends { break }
        await client.close()
        try await server.end()
        #expect(observer.seen.begun.isEmpty)
        #expect(observer.seen.records.map(\.attempts) == [0])
    }

    @Test(
        "Messages are counted in streams of numbers, and the first are told of one by one", arguments: [0, 2])
    func messages(_ limit: Int) async throws {
        let observer = Observer(messageLimit: limit)
        try await withServer { _, target in
            let client = try client("\(target)", observer)
            let call = client.sumNumbers()
            try await call.send(1)
            try await call.send(contentsOf: Array(repeating: 300, count: 50_000))
            try await call.send(2)
            #expect(try await call.closeAndReceive() == 15_000_003)
            for await _ in observer.ends { break }
            await client.close()
        }
        let seen = observer.seen
        #expect(seen.ended.map(\.messages) == [MessageCounts(received: 1, sent: 50_002)])
        #expect(seen.ended.map(\.messageBytesSent) == [150_004])
        #expect(seen.records.map(\.messages) == [MessageCounts(received: 1, sent: 50_002)])
        let sent = [2, 3].enumerated().map {
            ObservedMessage(number: Int64($0), size: $1, isCompressed: false)
        }
        #expect(seen.sent == Array(sent.prefix(limit)))
        #expect(seen.received.map(\.size) == (limit > 0 ? [5] : []))
    }

    @Test("If not everything has left, the messages that have are estimated")
    func estimate() {
        var tally = ClientCallObservation.Tally(messagesWritten: 100, bytesWritten: 1000, messagesReceived: 0)
        #expect(tally.messages(in: 1000) == 100)
        #expect(tally.messages(in: 2000) == 100)
        #expect(tally.messages(in: 995) == 99)
        #expect(tally.messages(in: 0) == 0)
        tally = .init()
        #expect(tally.messages(in: 0) == 0)
    }

    @Test(
        "Targets are named with their schemes",
        arguments: [
            ("localhost", "dns:///localhost"), ("[::1]:5", "dns:///[::1]:5"), ("dns:///a:1", "dns:///a:1"),
            ("dns:a:1", "dns:a:1"), ("ipv4:1.2.3.4:5", "ipv4:1.2.3.4:5"), ("unix:/a/b", "unix:/a/b"),
        ])
    func uri(_ text: String, _ uri: String) throws {
        #expect(try Target(text).uri == uri)
    }
}
