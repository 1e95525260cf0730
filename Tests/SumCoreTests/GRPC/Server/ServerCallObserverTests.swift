import NIOCore
import ScriptedPeers
import SwiftProtobuf
import Synchronization
import Testing
import Tracing

@testable import SumCore

@Suite(.timeLimit(.minutes(10))) struct ServerCallObserverTests {
    private enum Key: InstrumentationContextKey {
        typealias Value = String
    }

    private enum Note: Hashable {
        case received(ObservedMessage)
        case sent(ObservedMessage)
        case ended(GRPCStatus.Code)
    }

    /// Makes observers of connections, which make observers of calls.
    private final class Observer: ServerObserver {
        struct State: Sendable {
            var starts: [ServerCallStart] = []
            var records: [ServerCallRecord] = []
            var notes: [Note] = []
            var progress: [Int64] = []
        }

        let messageLimit: Int
        let state = Mutex(State())

        init(messageLimit: Int = 0) {
            self.messageLimit = messageLimit
        }

        var starts: [ServerCallStart] { state.withLock { $0.starts } }
        var records: [ServerCallRecord] { state.withLock { $0.records } }
        var notes: [Note] { state.withLock { $0.notes } }

        func connectionOpened(_ peer: Peer) -> (any ServerConnectionObserver)? { Connection(self) }

        private final class Connection: ServerConnectionObserver {
            let observer: Observer
            var observesCalls: Bool { true }
            var observesMessages: Bool { true }

            func messagesReceived(_ count: Int64, of call: ServerCallStart) {
                observer.state.withLock { $0.progress.append(count) }
            }

            init(_ observer: Observer) { self.observer = observer }

            func callBegan(_ call: ServerCallStart) -> (any ServerCallObserver)? {
                observer.state.withLock { $0.starts.append(call) }
                return Call(observer)
            }

            func callEnded(_ call: ServerCallRecord) {
                observer.state.withLock { $0.records.append(call) }
            }

            func closed(_ connection: ServerConnectionRecord) {}
        }

        private final class Call: ServerCallObserver {
            let observer: Observer
            var messageLimit: Int { observer.messageLimit }
            let trace: TraceContext? = TraceContext(traceID: 1, spanID: 2, flags: 1)

            init(_ observer: Observer) { self.observer = observer }

            var instrumentation: InstrumentationContext? {
                var context = InstrumentationContext.topLevel
                context[Key.self] = "here"
                return context
            }

            func messageReceived(_ message: ObservedMessage) { note(.received(message)) }
            func messageSent(_ message: ObservedMessage) { note(.sent(message)) }
            func ended(_ call: ServerCallRecord) { note(.ended(call.status.code)) }

            private func note(_ note: Note) { observer.state.withLock { $0.notes.append(note) } }
        }
    }

    private func server(_ observer: Observer, _ methods: [GRPCMethod] = [SumNumbers.method()]) throws
        -> WireChannel
    {
        try .server(methods: methods, observers: [observer]) { _ in }
    }

    @Test("What a client sent is known when its call begins, and in the record")
    func start() throws {
        let observer = Observer()
        let wire = try server(observer)
        try wire.send(
            .headers(
                .request.with(WireField(":authority", "sum.example"), WireField("user-agent", "test/1"))
                    + [WireField("grpc-timeout", "2S"), WireField("x-one", "1")], on: 1))
        let start = try #require(observer.starts.first)
        #expect(start.path == SumNumbers.path)
        #expect(start.isHosted)
        #expect(start.authority == "sum.example")
        #expect(start.userAgent == "test/1")
        #expect(start.timeout == .seconds(2))
        #expect(start.metadata["x-one"] == ["1"])
        try wire.send(.data(Numbers.encode([1, 2]), on: 1, endStream: true))
        let record = try #require(observer.records.first)
        #expect(record.isHosted)
        #expect(record.authority == "sum.example")
        #expect(record.userAgent == "test/1")
        #expect(record.timeout == .seconds(2))
        #expect(record.trace == TraceContext(traceID: 1, spanID: 2, flags: 1))
        #expect(record.messageBytesReceived == 4)
        #expect(record.messageBytesSent == 2)
        #expect(observer.notes == [.ended(.ok)])
    }

    @Test(
        "So it is for a call that is rejected, which knows no method unless there is one",
        arguments: [
            (.request.with(WireField(":path", "/no/Such")), false, .unimplemented),
            (.request.with(WireField("content-type", "text/html")), true, .internalError),
            (.request + [WireField("grpc-encoding", "snappy")], true, .unimplemented),
            (.request + [WireField("y", String(repeating: "x", count: 9000))], true, .resourceExhausted),
        ] as [([WireField], Bool, GRPCStatus.Code)])
    func rejected(_ fields: [WireField], _ isHosted: Bool, _ code: GRPCStatus.Code) throws {
        let observer = Observer()
        let wire = try server(observer)
        try wire.send(
            .headers(
                fields.with(WireField("user-agent", "test/1"))
                    + [WireField("grpc-timeout", "3S"), WireField("x-one", "1")], on: 1, endStream: true))
        #expect(observer.starts.map(\.isHosted) == [isHosted])
        #expect(observer.records.map(\.isHosted) == [isHosted])
        #expect(observer.records.map(\.status.code) == [code])
        #expect(observer.records.map(\.timeToStatus) == [.zero])
        #expect(observer.notes == [.ended(code)])
        guard code != .resourceExhausted else { return }
        #expect(observer.records.map(\.userAgent) == ["test/1"])
        #expect(observer.records.map(\.timeout) == [.seconds(3)])
        #expect(observer.starts.map { $0.metadata["x-one"] } == [["1"]])
    }

    @Test("A call begins before it is decided whether it may be made, and ends with its caller's name")
    func authorization() throws {
        let observer = Observer()
        let seen = Mutex(0)
        let wire = try WireChannel.server(methods: [SumNumbers.method()], observers: [observer]) {
            $0.authorize = CallAuthorizer(immediately: { _ in
                seen.withLock { $0 = observer.starts.count }
                return "adder"
            })
        }
        try wire.expectSum(on: 1)
        #expect(seen.withLock { $0 } == 1)
        #expect(observer.starts.map(\.peer.principal) == [nil])
        #expect(observer.records.map(\.peer.principal) == ["adder"])
    }

    @Test("The status is known before the client has read it")
    func timeToStatus() throws {
        let observer = Observer()
        let wire = try server(observer)
        try wire.send(.settings([4: 3]), .headers(.request, on: 1))
        try wire.advance(.milliseconds(5))
        try wire.send(.data(Numbers.encode([1]), on: 1, endStream: true))
        try wire.advance(.milliseconds(6))
        try wire.send(.windowUpdate(100, on: 1))
        #expect(observer.records.map(\.timeToStatus) == [.milliseconds(5)])
        #expect(observer.records.map(\.duration) == [.milliseconds(11)])
    }

    @Test("A record tells whether the status was sent")
    func answered() throws {
        let observer = Observer()
        let wire = try server(observer)
        try wire.expectSum(on: 1)
        try wire.send(.headers(.request.with(WireField(":path", "/no/Such")), on: 3, endStream: true))
        try wire.send(.headers(.request, on: 5), .rstStream(8, on: 5), .headers(.request, on: 7))
        wire.close()
        #expect(observer.records.map(\.wasAnswered) == [true, true, false, false])
    }

    // MARK: Messages

    @Test("Only the first messages are told of one by one, wherever they are cut", arguments: 0...4)
    func messages(_ limit: Int) throws {
        let observer = Observer(messageLimit: limit)
        let wire = try server(observer)
        let numbers = Numbers.encode([1, 300, 0])
        try wire.send(.headers(.request, on: 1), .data(Array(numbers.prefix(9)), on: 1))
        try wire.send(.data(Array(numbers.dropFirst(9)), on: 1, endStream: true))
        let all = [2, 3, 0].enumerated().map { number, size in
            Note.received(ObservedMessage(number: Int64(number), size: size, isCompressed: false))
        }
        let sent = Note.sent(ObservedMessage(number: 0, size: 3, isCompressed: false))
        var expected: [Note] = Array(all.prefix(limit))
        if limit > 0 { expected.append(sent) }
        expected.append(.ended(.ok))
        #expect(observer.notes == expected)
        #expect(observer.records.map(\.messages) == [MessageCounts(received: 3, sent: 1)])
    }

    /// A handler that does not count.
    private final class Handler: ServerCallHandler {
        var outlivesStream: Bool { false }
        func receive(_ bytes: ByteBuffer) -> ServerReply { ServerReply(consumed: bytes.readableBytes) }
        func receiveEnd() -> ServerReply {
            var reply = ServerReply(end: .ok)
            for _ in 0..<4 { reply.messages.writeMessage([1, 2, 3]) }
            return reply
        }
        func cancel(_ reason: GRPCStatus) {}
    }

    @Test("The messages of a handler that does not count are counted all the same", arguments: [0, 2])
    func uncounted(_ limit: Int) throws {
        let observer = Observer(messageLimit: limit)
        let wire = try server(observer, [GRPCMethod(path: SumNumbers.path) { _ in Handler() }])
        let numbers = Numbers.encode([1, 2, 3, 4, 5])
        try wire.send(.headers(.request, on: 1), .data(Array(numbers.prefix(9)), on: 1))
        try wire.send(.data(Array(numbers.dropFirst(9)), on: 1, endStream: true))
        #expect(observer.records.map(\.messages) == [MessageCounts(received: 5, sent: 4)])
        #expect(observer.records.map(\.messageBytesReceived) == [10])
        #expect(observer.records.map(\.messageBytesSent) == [12])
        #expect(observer.notes.count == 2 * limit + 1)
        #expect(observer.state.withLock { $0.progress } == [1, 4])
    }

    // MARK: Context

    @Test("A handler written with async/await runs with what the observer has for it")
    func instrumentation() async throws {
        let observer = Observer()
        let method = GRPCMethod.unary(path: "/t.T/Ask") {
            (_: Tutorial_NumberRequest, call) -> Tutorial_NumberResponse in
            let inTask = InstrumentationContext.current?[Key.self]
            let given = call.context.instrumentation?[Key.self]
            return Tutorial_NumberResponse.with { $0.sum = inTask == "here" && given == "here" ? 1 : 0 }
        }
        try await withServer([method], observers: [observer]) { _, target in
            let client = try await GRPCClient.connect(to: target, timeout: .seconds(60))
            let answer: Tutorial_NumberResponse = try await client.unary("/t.T/Ask", Tutorial_NumberRequest())
            #expect(answer.sum == 1)
            await client.close()
        }
    }
}
