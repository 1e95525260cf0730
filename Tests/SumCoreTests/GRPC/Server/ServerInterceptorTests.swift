import NIOCore
import ScriptedPeers
import SwiftProtobuf
import Synchronization
import Testing

@testable import SumCore

@Suite(.timeLimit(.minutes(10))) struct ServerInterceptorTests {
    /// An interceptor that is a function.
    private struct Interceptor: ServerInterceptor {
        typealias Next = (ServerCallContext) throws(GRPCStatus) -> any ServerCallHandler
        var body: @Sendable (ServerCallContext, Next) throws(GRPCStatus) -> any ServerCallHandler

        func intercept(
            _ context: ServerCallContext, next: Next
        ) throws(GRPCStatus) -> any ServerCallHandler {
            try body(context, next)
        }
    }

    /// What happened, in order.
    private final class Notes: Sendable {
        private let list = Mutex<[String]>([])
        var all: [String] { list.withLock { $0 } }
        func add(_ note: String) { list.withLock { $0.append(note) } }
    }

    /// Passes everything on, and notes what came by.
    private final class Wrapper: ServerCallHandler {
        private let inner: any ServerCallHandler
        private let notes: Notes

        init(_ inner: any ServerCallHandler, _ notes: Notes) {
            (self.inner, self.notes) = (inner, notes)
        }

        var outlivesStream: Bool { inner.outlivesStream }
        var messageCounts: MessageCounts? { inner.messageCounts }

        func receive(_ bytes: ByteBuffer) -> ServerReply { inner.receive(bytes) }

        func receive(_ bytes: inout ByteBuffer, within budget: inout TurnBudget) -> ServerReply {
            notes.add("\(bytes.readableBytes) bytes")
            return inner.receive(&bytes, within: &budget)
        }

        func receiveEnd() -> ServerReply {
            notes.add("end")
            return inner.receiveEnd()
        }

        func cancel(_ reason: GRPCStatus) {
            notes.add("\(reason.code)")
            inner.cancel(reason)
        }

        func sent(_ byteCount: Int) {
            notes.add("\(byteCount) sent")
            inner.sent(byteCount)
        }
    }

    private func wrapping(_ notes: Notes) -> Interceptor {
        Interceptor { context, next throws(GRPCStatus) in Wrapper(try next(context), notes) }
    }

    private func server(
        _ interceptors: [any ServerInterceptor], method: GRPCMethod = SumNumbers.method(),
        _ change: (inout GRPCServer.Configuration) -> Void = { _ in }
    ) throws -> WireChannel {
        try .server(methods: [method.intercepted(by: interceptors)], change)
    }

    @Test("The first of several is the outermost")
    func order() throws {
        let notes = Notes()
        let interceptors = ["a", "b", "c"].map { name in
            Interceptor { context, next throws(GRPCStatus) in
                notes.add("\(name) asks")
                let handler = try next(context)
                notes.add("\(name) is answered")
                return handler
            }
        }
        let wire = try server(interceptors)
        try wire.expectSum(on: 1)
        #expect(
            notes.all == [
                "a asks", "b asks", "c asks", "c is answered", "b is answered", "a is answered",
            ])
    }

    @Test("Each call is intercepted, and none that has no method")
    func everyCall() async throws {
        let notes = Notes()
        let interceptor = Interceptor { context, next throws(GRPCStatus) in
            notes.add(context.path)
            return try next(context)
        }
        try await withServer(interceptors: [interceptor]) { _, target in
            let client = try await GRPCClient.connect(to: target, timeout: .seconds(60))
            for _ in 0..<3 { #expect(try await client.sum(of: [1, 2]) == 3) }
            await #expect(throws: GRPCStatus.self) { try await client.checkHealth() }
            await client.close()
        }
        #expect(notes.all == Array(repeating: SumNumbers.path, count: 3))
    }

    // MARK: Refusing

    @Test("The client gets exactly the status that refuses its call, and the method never sees it")
    func refusal() async throws {
        let status = GRPCStatus(code: .unauthenticated, message: "no: ü\n100 %", details: [8, 16])
        let notes = Notes()
        let refusing = Interceptor { _, _ throws(GRPCStatus) in throw status }
        let behind = Interceptor { context, next throws(GRPCStatus) in
            notes.add("asked")
            return try next(context)
        }
        try await withServer(interceptors: [refusing, behind]) { _, target in
            let client = try await GRPCClient.connect(to: target, timeout: .seconds(60))
            await #expect(throws: status) { try await client.sum(of: [1, 2]) }
            await #expect(throws: status) { try await client.sumNumbers().closeAndReceive() }
            await client.close()
        }
        #expect(notes.all.isEmpty)
    }

    @Test("It is one block of trailers, and what the client still sends is dropped")
    func trailersOnly() throws {
        let refusing = Interceptor { _, _ throws(GRPCStatus) in
            throw GRPCStatus(code: .permissionDenied, message: "no")
        }
        let wire = try server([refusing])
        _ = wire.takeFrames()
        try wire.send(.headers(.request, on: 1), .data(Numbers.encode([1, 2]), on: 1))
        let answer = wire.takeFrames()
        #expect(answer.map(\.kind) == [.headers])
        #expect(answer.first?.endsStream == true)
        #expect(answer.first?[":status"] == "200")
        #expect(answer.first?["grpc-status"] == "7")
        #expect(answer.first?["grpc-message"] == "no")
        try wire.send(.data([], on: 1, endStream: true))
        #expect(wire.resetCode(of: 1) == nil)
    }

    @Test("A message that is longer than the client takes headers is cut")
    func longRefusal() throws {
        let refusing = Interceptor { _, _ throws(GRPCStatus) in
            throw GRPCStatus(code: .permissionDenied, message: String(repeating: "x", count: 5000))
        }
        let wire = try server([refusing])
        try wire.send(.settings([6: 1000]))
        try wire.send(.headers(.request, on: 1, endStream: true))
        let answer = try #require(wire.frames.last { $0.streamID == 1 })
        #expect(answer["grpc-status"] == "7")
        #expect(answer["grpc-message"]?.hasSuffix("xxx...") == true)
        #expect(answer.payload.count <= 1000)
    }

    @Test("A handler that was made before the call was refused is cancelled")
    func lateRefusal() throws {
        let notes = Notes()
        let method = GRPCMethod(path: SumNumbers.path) { _ in Wrapper(NotingHandler(), notes) }
        let refusing = Interceptor { context, next throws(GRPCStatus) in
            _ = try next(context)
            throw GRPCStatus(code: .permissionDenied, message: "no")
        }
        let wire = try server([refusing], method: method)
        try wire.send(.headers(.request, on: 1), .data(Numbers.encode([1]), on: 1, endStream: true))
        #expect(wire.frames.last?["grpc-status"] == "7")
        #expect(notes.all == ["PERMISSION_DENIED"])
    }

    // MARK: Wrapping

    @Test("A handler that is wrapped gets the bytes and the end, and hears what was sent")
    func wrapper() throws {
        let notes = Notes()
        let wire = try server([wrapping(notes)])
        let numbers = Numbers.encode([1, 2, 3])
        _ = wire.takeFrames()
        try wire.send(.headers(.request, on: 1), .data(Array(numbers.prefix(8)), on: 1))
        try wire.send(.data(Array(numbers.dropFirst(8)), on: 1, endStream: true))
        #expect(notes.all == ["8 bytes", "13 bytes", "end", "7 sent"])
        let answer = wire.takeFrames().filter { $0.streamID == 1 }
        #expect(answer.map(\.kind) == [.headers, .data, .headers])
        #expect(answer.dropFirst().first?.payload == [0, 0, 0, 0, 2, 8, 6])
    }

    @Test("A handler that is wrapped is cancelled with the call")
    func wrapperCancelled() throws {
        let notes = Notes()
        let wire = try server([wrapping(notes), wrapping(notes)])
        try wire.send(.headers(.request, on: 1), .rstStream(8, on: 1))
        #expect(notes.all == ["CANCELLED", "CANCELLED"])
    }

    @Test("A method written with async/await is served through a wrapper, with more than may wait to be sent")
    func wrappedStreaming() async throws {
        let method = GRPCMethod.serverStreaming(path: "/t.T/Count") {
            (request: Tutorial_NumberRequest, responses: GRPCResponses<Tutorial_NumberResponse>, _) in
            for number in 1...request.num {
                try await responses.send(Tutorial_NumberResponse.with { $0.sum = number })
            }
        }
        let notes = Notes()
        try await withServer([method], interceptors: [wrapping(notes)]) { _, target in
            let client = try await GRPCClient.connect(to: target, timeout: .seconds(60))
            let call: GRPCClientCall<Tutorial_NumberRequest, Tutorial_NumberResponse> = client.call(
                "/t.T/Count")
            try await call.send(Tutorial_NumberRequest.with { $0.num = 40_000 })
            call.finish()
            var count = Int32(0)
            for try await response in call.responses {
                count += 1
                #expect(response.sum == count)
            }
            #expect(count == 40_000)
            await client.close()
        }
        #expect(notes.all.contains("end"))
    }

    // MARK: Changing

    @Test("What is passed on may be changed, and the next interceptor and the method see it")
    func changes() throws {
        let seen = Notes()
        let method = GRPCMethod(path: SumNumbers.path) { context in
            for field in context.metadata.fields { seen.add("\(field.key)=\(field.value)") }
            seen.add("\(context.maxMessageSize) bytes")
            return SumNumbersHandler(overflow: .error, context: context)
        }
        let interceptors = ["a", "b"].map { name in
            Interceptor { context, next throws(GRPCStatus) in
                var context = context
                try? context.metadata.add("by", name)
                context.maxMessageSize -= 1
                return try next(context)
            }
        }
        let wire = try server(interceptors, method: method) { $0.maxMessageSize = 3 }
        try wire.send(.headers(.request + [WireField("by", "client")], on: 1))
        #expect(seen.all == ["by=client", "by=a", "by=b", "1 bytes"])
        try wire.send(.data(Numbers.encode([1]), on: 1))
        #expect(wire.frames.last { $0.streamID == 1 }?["grpc-status"] == "8")
    }

    // MARK: Handlers that outlive their streams

    /// Goes on until it is told to end.
    private final class Lingerer: ServerCallHandler {
        let context: ServerCallContext
        init(_ context: ServerCallContext) { self.context = context }

        var outlivesStream: Bool { true }
        func receive(_ bytes: ByteBuffer) -> ServerReply { ServerReply(consumed: bytes.readableBytes) }
        func receiveEnd() -> ServerReply { ServerReply() }
        func cancel(_ reason: GRPCStatus) {}
    }

    @Test("A wrapped handler whose stream is gone counts against its client's calls until it ends")
    func outliving() throws {
        let contexts = Mutex<[ServerCallContext]>([])
        let method = GRPCMethod(path: SumNumbers.path) { context in
            contexts.withLock { $0.append(context) }
            return Lingerer(context)
        }
        let wire = try server([wrapping(Notes()), wrapping(Notes())], method: method) {
            $0.maxConcurrentStreams = 2
        }
        for streamID in [1, 3] as [UInt32] {
            try wire.send(.headers(.request, on: streamID), .rstStream(8, on: streamID))
        }
        try wire.send(.headers(.request, on: 5))
        #expect(wire.resetCode(of: 5) == .refusedStream)
        contexts.withLock { $0 }.first?.reply(ServerReply(end: .ok))
        try wire.advance(.zero)
        try wire.send(.headers(.request, on: 7))
        #expect(wire.resetCode(of: 7) == nil)
        try wire.send(.headers(.request, on: 9))
        #expect(wire.resetCode(of: 9) == .refusedStream)
        #expect(contexts.withLock { $0.count } == 3)
    }

    @Test("abuse-R1: never more wrapped tasks at once than calls allowed, though they outlive their streams")
    func liveTasks() async throws {
        let gate = Gate()
        let begun = Mutex(0)
        let method = GRPCMethod(path: SumNumbers.path) { context in
            begun.withLock { $0 += 1 }
            return AsyncServerCallHandler(context: context) { _ in await gate.wait() }
        }
        var configuration = GRPCServer.Configuration()
        configuration.maxConcurrentStreams = 10
        try await withServer(
            [method], configuration: configuration, interceptors: [wrapping(Notes())]
        ) { server, _ in
            let address = server.addresses[0].description
            try await onThread {
                let client = try WireSocket(connectingTo: address)
                try client.sayHello()
                for call in UInt32(0)..<100 {
                    try client.send(.headers(.request, on: 2 * call + 1), .rstStream(8, on: 2 * call + 1))
                }
                try client.send(.ping())
                _ = try client.receive(.ping, ack: true)
            }
            #expect(begun.withLock { $0 } == 10)
            gate.open()
        }
    }
}
