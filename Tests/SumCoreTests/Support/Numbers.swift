import NIOCore
import SwiftProtobuf
import Testing

@testable import SumCore

/// Numbers to send, as they stand in a stream, and their sums.
enum Numbers {
    /// Every length of varint, from both ends, and both signs.
    static let edges: [Int32] =
        (0..<32).flatMap { shift -> [Int32] in
            let power = Int32(bitPattern: 1 << shift)
            return [power, power &- 1, power &+ 1, 0 &- power, ~power]
        } + [0, .max, .min]

    /// Numbers of all lengths, the same in every run.
    static func samples(_ count: Int) -> [Int32] {
        var state: UInt64 = 0x9e37_79b9_7f4a_7c15
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int32(truncatingIfNeeded: state >> 32) >> Int32(state >> 8 & 31)
        }
    }

    /// What swift-protobuf makes of the numbers.
    static func oracle(_ numbers: [Int32]) throws -> [UInt8] {
        var stream = ByteBuffer()
        for number in numbers {
            stream.writeMessage(
                try Tutorial_NumberRequest.with { $0.num = number }.serializedBytes() as [UInt8])
        }
        return [UInt8](stream.readableBytesView)
    }

    static func encode(_ numbers: [Int32]) -> [UInt8] {
        withFrame(room: numbers.count * 16) { NumberEncoder.append(numbers.span, to: &$0) }.bytes
    }

    /// The sum by way of the handler, which joins messages that were cut.
    static func sum(_ chunks: [[UInt8]], overflow: SumNumbers.Overflow = .error) throws -> Int32 {
        let handler = SumNumbersHandler(overflow: overflow, context: .sample(maxMessageSize: 1000))
        for chunk in chunks {
            let reply = handler.receive(ByteBuffer(bytes: chunk))
            if let status = reply.end { throw status }
            #expect(reply.consumed == chunk.count)
        }
        let reply = handler.receiveEnd()
        guard let status = reply.end, status.isOK else { throw reply.end ?? .init(code: .unknown) }
        var reader = MessageReader(maxLength: 100)
        var messages = reply.messages
        let message = try #require(try reader.next(from: &messages))
        return try Tutorial_NumberResponse(serializedBytes: [UInt8](message.readableBytesView)).sum
    }
}
