import NIOCore
import SwiftProtobuf
import Synchronization
import Testing

@testable import SumCore

/// Methods of the four kinds, written with async/await, and hosted.
@Suite(.timeLimit(.minutes(10))) struct HostingTests {
    private typealias Number = Tutorial_NumberRequest
    private typealias Sum = Tutorial_NumberResponse

    /// Calls a method with these numbers, and gives the numbers that come back.
    private func call(
        _ method: GRPCMethod, _ numbers: [Int32], timeout: Duration? = nil, metadata: GRPCMetadata = .init()
    ) async throws -> (numbers: [Int32], status: GRPCStatus) {
        let messages = try numbers.map { number in
            try Number.with { $0.num = number }.serializedBytes() as [UInt8]
        }
        let outcome = try await exchange(method, messages, timeout: timeout, metadata: metadata)
        return (try outcome.messages.map { try Sum(serializedBytes: $0).sum }, outcome.status)
    }

    private func exchange(
        _ method: GRPCMethod, _ messages: [[UInt8]], timeout: Duration? = nil,
        metadata: GRPCMetadata = .init()
    ) async throws -> OneShotCaller.Outcome {
        try await withClient(of: [method]) { client in
            let caller = OneShotCaller(messages)
            _ = client.start(method.path, .init(timeout: timeout, metadata: metadata), handler: caller)
            return await caller.outcome()
        }
    }

    private func sum(_ number: Int32) -> Sum { Sum.with { $0.sum = number } }

    @Test("A unary method")
    func unary() async throws {
        let method = GRPCMethod.unary(path: "/t.T/Double") { (request: Number, _) in
            Sum.with { $0.sum = request.num * 2 }
        }
        let result = try await call(method, [21])
        #expect(result.numbers == [42])
        #expect(result.status == .ok)
    }

    @Test("A unary method takes exactly one message", arguments: [[], [1, 2]] as [[Int32]])
    func cardinality(_ numbers: [Int32]) async throws {
        let method = GRPCMethod.unary(path: "/t.T/Double") { (request: Number, _) in Sum() }
        #expect(try await call(method, numbers).status.code == .unimplemented)
    }

    @Test("A client-streaming method")
    func clientStreaming() async throws {
        let method = GRPCMethod.clientStreaming(path: "/t.T/Sum") { (requests: GRPCRequests<Number>, _) in
            var total: Int32 = 0
            for try await request in requests { total += request.num }
            return Sum.with { $0.sum = total }
        }
        let result = try await call(method, Array(1...1000))
        #expect(result.numbers == [500_500])
        #expect(result.status == .ok)
    }

    @Test("A server-streaming method, with far more than the limit on unsent responses")
    func serverStreaming() async throws {
        let method = GRPCMethod.serverStreaming(path: "/t.T/Count") {
            (request: Number, responses: GRPCResponses<Sum>, _) in
            for number in 1...request.num { try await responses.send(Sum.with { $0.sum = number }) }
        }
        let result = try await call(method, [20_000])
        #expect(result.numbers == Array(1...20_000))
        #expect(result.status == .ok)
    }

    @Test("A bidirectional method")
    func bidirectional() async throws {
        let method = GRPCMethod.bidirectionalStreaming(path: "/t.T/Running") {
            (requests: GRPCRequests<Number>, responses: GRPCResponses<Sum>, _) in
            var total: Int32 = 0
            for try await request in requests {
                total += request.num
                try await responses.send(Sum.with { [total] in $0.sum = total })
            }
        }
        let result = try await call(method, [1, 2, 3, -6])
        #expect(result.numbers == [1, 3, 6, 0])
        #expect(result.status == .ok)
    }

    @Test(
        "grpc-A17, grpc-A20: a thrown status ends the call, with its details; other errors are UNKNOWN")
    func errors() async throws {
        struct Mishap: Error {}
        let status = GRPCStatus(code: .failedPrecondition, message: "no: ü", details: [1, 2, 3, 4])
        let refusing = GRPCMethod.unary(path: "/t.T/Refuse") { (_: Number, _) -> Sum in throw status }
        #expect(try await call(refusing, [1]).status == status)
        let failing = GRPCMethod.unary(path: "/t.T/Fail") { (_: Number, _) -> Sum in throw Mishap() }
        #expect(try await call(failing, [1]).status == GRPCStatus(code: .unknown, message: "Mishap()"))
    }

    @Test("grpc-S10: bytes that do not parse as the message are INTERNAL")
    func badMessage() async throws {
        let method = GRPCMethod.unary(path: "/t.T/Double") { (_: Number, _) in Sum() }
        let outcome = try await exchange(method, [[0x0e]])
        #expect(outcome.status.code == .internalError)
        #expect(outcome.status.message.contains("tutorial.NumberRequest"))
    }

    @Test("A handler sees metadata, deadline and peer")
    func context() async throws {
        let method = GRPCMethod.unary(path: "/t.T/Look") { (_: Number, call) in
            let context = call.context
            guard context.metadata["k"] == ["1", "2"], context.metadata.bytes("b-bin") == [[255, 0]],
                let left = context.timeLeft, left > .zero, left < .seconds(60),
                context.peer.address.hasPrefix("127.0.0.1:")
            else { throw GRPCStatus(code: .dataLoss, message: "\(context)") }
            return Sum()
        }
        var metadata = GRPCMetadata()
        try metadata.add("k", "1")
        try metadata.add("k", "2")
        try metadata.add("b-bin", bytes: [255, 0])
        #expect(try await call(method, [1], timeout: .seconds(60), metadata: metadata).status == .ok)
    }

    @Test("Response metadata is sent with the headers, and trailers with the status")
    func responseMetadata() throws {
        var reply = ServerReply(end: .ok)
        try reply.metadata.add("m", "1")
        try reply.trailers.add("t", "2")
        var empty = ServerCall()
        guard case .withoutMessages(let front, let behind) = empty.reply(reply) else {
            Issue.record("no messages, so headers and trailers alone")
            return
        }
        #expect(front.last == HTTP2Field("m", "1"))
        #expect(behind == [HTTP2Field("grpc-status", "0"), HTTP2Field("t", "2")])
        reply.messages.writeMessage([1])
        var call = ServerCall()
        guard case .response(let headers, let trailers) = call.reply(reply) else {
            Issue.record("messages come with headers and trailers")
            return
        }
        #expect(headers?.last == HTTP2Field("m", "1"))
        #expect(trailers == [HTTP2Field("grpc-status", "0"), HTTP2Field("t", "2")])
    }

    @Test("grpc-S14: a deadline cancels the handler's task, and what it awaits")
    func deadline() async throws {
        let (cancellations, note) = AsyncStream<Bool>.makeStream()
        let hasBegun = Atomic(false)
        let method = GRPCMethod.clientStreaming(path: "/t.T/Wait") { (requests: GRPCRequests<Number>, _) in
            hasBegun.store(true, ordering: .relaxed)
            defer { note.yield(Task.isCancelled) }
            try await Task.sleep(for: .seconds(3600))
            return Sum()
        }
        // On a busy machine the call may be over before it comes to the handler.
        var timeout = Duration.milliseconds(50)
        while !hasBegun.load(ordering: .relaxed) {
            #expect(try await call(method, [1], timeout: timeout).status.code == .deadlineExceeded)
            timeout *= 2
        }
        var iterator = cancellations.makeAsyncIterator()
        #expect(await iterator.next() == true)
    }
}
