import NIOCore
import SwiftProtobuf
import Testing

@testable import SumCore

@Suite struct NumberCodingTests {
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

    @Test("F2: the encoder writes what swift-protobuf writes")
    func encoder() throws {
        for number in Self.edges {
            #expect(Self.encode([number]) == (try Self.oracle([number])), "\(number)")
        }
        let samples = Self.samples(10_000)
        #expect(Self.encode(samples) == (try Self.oracle(samples)))
    }

    @Test(
        "The encoder stops where the longest number would not fit",
        arguments: [
            (15, []), (16, [0, 0, 0, 0, 2, 8, 1]), (23, [0, 0, 0, 0, 2, 8, 1, 0, 0, 0, 0, 2, 8, 2]),
        ]
            as [(Int, [UInt8])])
    func encoderRoom(_ room: Int, _ bytes: [UInt8]) {
        let frame = withFrame(room: room) { NumberEncoder.append([1, 2].span, to: &$0) }
        #expect(frame.bytes == bytes)
        #expect(frame.result == bytes.count / 7)
    }

    @Test("F2: the decoder adds what swift-protobuf decodes, and leaves the rest")
    func decoder() throws {
        for number in Self.edges {
            var decoder = NumberDecoder()
            let bytes = Self.encode([number]) + Array(repeating: 0xff, count: 16)
            let used = decoder.add(bytes.span.bytes)
            #expect(used == bytes.count - 16)
            #expect(decoder.sum == Int64(number))
            #expect(decoder.count == 1)
        }
    }

    /// The decoder leaves the last bytes of a span alone, so the sum goes by way of the handler.
    static func sum(_ chunks: [[UInt8]], overflow: SumNumbers.Overflow = .error) throws -> Int32 {
        let handler = SumNumbersHandler(overflow: overflow, context: .sample(maximumMessageLength: 1000))
        for chunk in chunks {
            let reply = handler.receive(ByteBuffer(bytes: chunk))
            if let status = reply.end { throw status }
            #expect(reply.consumed == chunk.count)
        }
        let reply = handler.receiveEnd()
        guard let status = reply.end, status.isOK else { throw reply.end ?? .init(code: .unknown) }
        var reader = MessageReader(maximumLength: 100)
        var messages = reply.messages
        let message = try #require(try reader.next(from: &messages))
        return try Tutorial_NumberResponse(serializedBytes: [UInt8](message.readableBytesView)).sum
    }

    @Test("H7, R6: the sum does not depend on where the stream is cut")
    func everySplit() throws {
        let numbers = Self.edges.filter { abs(Int64($0)) < 1 << 24 } + [.min, .max]
        let bytes = Self.encode(numbers)
        let expected = Int32(truncatingIfNeeded: numbers.reduce(0) { $0 + Int64($1) })
        for cut in 0...bytes.count {
            #expect(try Self.sum([Array(bytes[..<cut]), Array(bytes[cut...])]) == expected)
        }
        #expect(try Self.sum(bytes.map { [$0] }) == expected)
    }

    @Test("F1, F2: random messages give the same sum by the fast way and by swift-protobuf")
    func differential() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let messages = (0..<50).map { _ in Self.anyEncoding(&generator) }
            let expected = try messages.reduce(Int64(0)) {
                $0 + Int64(try Tutorial_NumberRequest(serializedBytes: $1).num)
            }
            let stream = messages.reduce(into: ByteBuffer()) { $0.writeMessage($1) }
            let bytes = [UInt8](stream.readableBytesView)
            let cut = Int.random(in: 0...bytes.count)
            let sum = try Self.sum([Array(bytes[..<cut]), Array(bytes[cut...])], overflow: .wrap)
            #expect(sum == Int32(truncatingIfNeeded: expected))
        }
    }

    /// A message in one of the many ways that protobuf allows.
    private static func anyEncoding(_ generator: inout SystemRandomNumberGenerator) -> [UInt8] {
        let number =
            samples(1)[0] &+ Int32.random(in: .min ... .max, using: &generator) >> Int32.random(in: 0...31)
        let plain = (try? Tutorial_NumberRequest.with { $0.num = number }.serializedBytes() as [UInt8]) ?? []
        switch Int.random(in: 0..<8, using: &generator) {
        case 0: return plain + plain
        case 1: return [0x10, 0x96, 0x01] + plain
        case 2: return plain + [0x1a, 0x02, 0x68, 0x69]
        case 3: return [0x08, 0x85, 0x80, 0x80, 0x00]
        case 4: return [0x08, 0xff, 0xff, 0xff, 0xff, 0x0f]
        case 5: return [0x08, 0x87, 0x80, 0x80, 0x80, 0x10]
        case 6: return [0x0d, 1, 2, 3, 4] + plain
        default: return plain
        }
    }
}
