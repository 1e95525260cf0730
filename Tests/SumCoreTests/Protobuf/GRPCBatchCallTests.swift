import NIOCore
import OddStubs
import SwiftProtobuf
import Testing

@testable import SumCore

/// Batch-wise calls, without a connection.
@Suite struct GRPCBatchCallTests {
    private typealias Number = Stubs_V1_Number
    private struct Odd: Error {}

    /// A call that adds numbers, and throws `error` at the number 13.
    private func handler(
        _ context: ServerCallContext = .sample(), error: any Error = Odd()
    ) -> any ServerCallHandler {
        GRPCBatchCall<Number, Number>(context, startingWith: Number()) { total, numbers in
            #expect(!numbers.isEmpty)
            for number in numbers {
                if number.value == 13 { throw error }
                total.value += number.value
            }
        } answer: { total in
            if total.value < 0 { throw error }
            return total
        }.handler
    }

    private func encoded(
        _ values: [Int64], compression: GRPCCompression = .identity
    ) throws -> ByteBuffer {
        var bytes = ByteBuffer()
        let writer = MessageWriter(compression: compression)
        for value in values { try writer.write(Number.with { $0.value = value }.serialized(), to: &bytes) }
        return bytes
    }

    private func answer(of reply: ServerReply, compression: GRPCCompression = .identity) throws -> Int64? {
        var messages = reply.messages
        var reader = MessageReader(maxLength: 100, compression: compression)
        return try reader.next(from: &messages).map { try Number(received: $0).value }
    }

    @Test("Messages may be cut anywhere")
    func cuts() throws {
        let bytes = try encoded([1, 300, 0, 70_000])
        for cut in 0...bytes.readableBytes {
            let handler = handler()
            var rest = bytes
            let first = rest.readSlice(length: cut)
            #expect(handler.receive(try #require(first)).consumed == cut)
            #expect(handler.receive(rest).consumed == rest.readableBytes)
            let reply = handler.receiveEnd()
            #expect(reply.end == .ok)
            #expect(try answer(of: reply) == 70_301)
            #expect(handler.messageCounts == MessageCounts(received: 4, sent: 1))
        }
    }

    @Test("A call without messages has an answer")
    func empty() throws {
        #expect(try answer(of: handler().receiveEnd()) == 0)
    }

    @Test("A stream that ends within a message has none")
    func cutShort() throws {
        let handler = handler()
        let bytes = try encoded([1, 2])
        _ = handler.receive(bytes.getSlice(at: 0, length: bytes.readableBytes - 1) ?? ByteBuffer())
        #expect(handler.receiveEnd().end?.code == .internalError)
    }

    @Test("Compressed messages are counted as decompressed, and the answer is compressed alike")
    func compressed() throws {
        let handler = handler(.sample(compression: .gzip, acceptEncoding: "gzip"))
        let reply = handler.receive(try encoded([5, 6], compression: .gzip))
        #expect(reply.end == nil)
        #expect(reply.decompressed == 4)
        let last = handler.receiveEnd()
        #expect(last.compression == .gzip)
        #expect(try answer(of: last, compression: .gzip) == 11)
    }

    @Test("What the budget does not allow is left for the next turn")
    func budget() throws {
        let handler = handler()
        var bytes = try encoded([1, 2, 3])
        var budget = TurnBudget(1)
        let first = handler.receive(&bytes, within: &budget)
        #expect(first.consumed == 7)
        #expect(bytes.readableBytes == 14)
        budget = .unlimited
        let second = handler.receive(&bytes, within: &budget)
        #expect(second.consumed == 14)
        #expect(try answer(of: handler.receiveEnd()) == 6)
    }

    @Test("What a closure throws is how the call ends")
    func errors() throws {
        let status = GRPCStatus(code: .outOfRange, message: "too much")
        for (error, code) in [
            (status, .outOfRange), (CancellationError(), .cancelled), (Odd(), .unknown),
        ] as [(any Error, GRPCStatus.Code)] {
            #expect(handler(error: error).receive(try encoded([1, 13])).end?.code == code)
            let late = handler(error: error)
            #expect(late.receive(try encoded([-1])).end == nil)
            #expect(late.receiveEnd().end?.code == code)
        }
    }

    @Test("A message that is too long, or not such a message, ends the call")
    func invalid() throws {
        let short = handler(.sample(maxMessageSize: 1))
        #expect(short.receive(try encoded([1])).end?.code == .resourceExhausted)
        var bytes = ByteBuffer()
        bytes.writeMessage([0x0f])
        #expect(handler().receive(bytes).end?.code == .internalError)
    }
}
