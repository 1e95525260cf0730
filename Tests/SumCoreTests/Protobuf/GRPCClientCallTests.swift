import NIOCore
import ScriptedPeers
import SwiftProtobuf
import Testing

@testable import SumCore

/// The public client's calls of the four kinds, against our server.
@Suite(.timeLimit(.minutes(10))) struct GRPCClientCallTests {
    private typealias Number = Tutorial_NumberRequest
    private typealias Sum = Tutorial_NumberResponse
    private typealias Call = GRPCClientCall<Number, Sum>

    /// Responds to each number with the sum so far.
    private static let running = GRPCMethod.bidirectionalStreaming(path: "/t.T/Running") {
        (requests: GRPCRequests<Number>, responses: GRPCResponses<Sum>, call) in
        try call.setResponseMetadata(call.context.metadata)
        call.setTrailers(call.context.metadata)
        var total: Int32 = 0
        for try await request in requests {
            total += request.num
            try await responses.send(Sum.with { [total] in $0.sum = total })
        }
        guard total >= 0 else {
            throw GRPCStatus(code: .outOfRange, message: "negative", details: [1, 2, 3])
        }
    }

    private func number(_ number: Int32) -> Number { .with { $0.num = number } }

    @Test(
        "A bidirectional call, response by response, with metadata in order both ways",
        arguments:
            GRPCCompression.allCases)
    func bidirectional(_ compression: GRPCCompression) async throws {
        try await withClient(of: [Self.running]) { (client) async throws in
            var options = GRPCCallOptions(timeout: .seconds(60))
            options.compression = compression
            try options.metadata.add("k", "1")
            try options.metadata.add("b-bin", bytes: [0, 255])
            try options.metadata.add("k", "2")
            let call: Call = client.call("/t.T/Running", options: options)
            try await call.send(number(1))
            #expect(try await call.next()?.sum == 1)
            #expect(try await call.responseMetadata()["k"] == ["1", "2"])
            try await call.send(number(41), compressed: false)
            #expect(try await call.next()?.sum == 42)
            call.finish()
            #expect(try await call.next() == nil)
            let (status, trailers) = await call.ended()
            #expect(status == .ok)
            #expect(trailers.bytes("b-bin") == [[0, 255]])
        }
    }

    @Test("grpc-A17: an error is thrown after the messages before it, with trailers and details")
    func error() async throws {
        try await withClient(of: [Self.running]) { (client) async throws in
            let call: Call = client.call("/t.T/Running")
            try await call.send(number(-1))
            call.finish()
            #expect(try await call.next()?.sum == -1)
            let expected = GRPCStatus(code: .outOfRange, message: "negative", details: [1, 2, 3])
            await #expect(throws: expected) { try await call.next() }
            await #expect(throws: expected) { try await call.next() }
            #expect(await call.ended().status == expected)
            await #expect(throws: expected) { try await call.send(number(1)) }
        }
    }

    @Test("Many messages can be sent at once, compressed or not", arguments: GRPCCompression.allCases)
    func batches(_ compression: GRPCCompression) async throws {
        let total = GRPCMethod.clientStreaming(path: "/t.T/Total") { (numbers: GRPCRequests<Number>, _) in
            var total: Int32 = 0
            for try await number in numbers { total += number.num }
            return Sum.with { [total] in $0.sum = total }
        }
        try await withClient(of: [total]) { (client) async throws in
            var options = GRPCCallOptions()
            options.compression = compression
            let call: Call = client.call("/t.T/Total", options: options)
            try await call.send(contentsOf: [])
            try await call.send(contentsOf: (1...20_000).map(number))
            try await call.send(number(7))
            try await call.send(contentsOf: [number(8)], compressed: false)
            #expect(try await call.closeAndReceive().sum == 200_010_015)
            let error = await #expect(throws: GRPCStatus.self) {
                try await call.send(contentsOf: [number(1)])
            }
            #expect(error?.code == .failedPrecondition)
        }
    }

    @Test("Unary and client-streaming calls need exactly one response")
    func oneAnswer() async throws {
        try await withClient(of: [Self.running]) { (client) async throws in
            let one: Sum = try await client.unary("/t.T/Running", number(5))
            #expect(one.sum == 5)
            for count in [0, 2] {
                let call: Call = client.call("/t.T/Running")
                for _ in 0..<count { try await call.send(number(1)) }
                let error = await #expect(throws: GRPCStatus.self) { try await call.closeAndReceive() }
                #expect(error?.code == .unimplemented)
            }
        }
    }

    @Test("grpc-K16: a server-streaming call makes the server wait for its reader, and loses nothing")
    func slowReader() async throws {
        let count: Int32 = 100_000
        let method = GRPCMethod.serverStreaming(path: "/t.T/Count") {
            (request: Number, responses: GRPCResponses<Sum>, _) in
            for number in 1...request.num { try await responses.send(Sum.with { $0.sum = number }) }
        }
        try await withClient(of: [method, Self.running]) { (client) async throws in
            let call: Call = client.call("/t.T/Count")
            try await call.send(number(count))
            call.finish()
            #expect(try await call.next()?.sum == 1)
            // Another call on the connection is not blocked.
            let other: Sum = try await client.unary("/t.T/Running", number(7))
            #expect(other.sum == 7)
            var last: Int32 = 1
            for try await response in call.responses {
                #expect(response.sum == last + 1)
                last = response.sum
            }
            #expect(last == count)
        }
    }

    @Test("abuse-K16: cancelling the task that waits for a call cancels the call")
    func cancellation() async throws {
        let (events, note) = AsyncStream<Void>.makeStream()
        let method = GRPCMethod.clientStreaming(path: "/t.T/Wait") { (requests: GRPCRequests<Number>, _) in
            defer { note.yield() }
            for try await _ in requests { note.yield() }
            return Sum()
        }
        try await withClient(of: [method]) { (client) async throws in
            let call: Call = client.call("/t.T/Wait")
            try await call.send(number(1))
            var iterator = events.makeAsyncIterator()
            await iterator.next()
            let waiting = Task { try await call.next() }
            waiting.cancel()
            let result = await waiting.result
            #expect(throws: GRPCStatus(code: .cancelled, message: "the call was cancelled")) {
                try result.get()
            }
            await iterator.next()
        }
    }

    @Test("Compressed numbers", arguments: [GRPCCompression.deflate, .gzip])
    func compressedSum(_ compression: GRPCCompression) async throws {
        try await withClient(of: [SumNumbers.method()]) { (client) async throws in
            var options = GRPCCallOptions()
            options.compression = compression
            let call = client.sumNumbers(options)
            try await call.send(contentsOf: Array(-5000...5001))
            try await call.send(7)
            #expect(try await call.closeAndReceive() == 5008)
        }
    }
}
