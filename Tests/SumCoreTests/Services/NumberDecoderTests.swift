import NIOCore
import SwiftProtobuf
import Testing

@testable import SumCore

@Suite struct NumberDecoderTests {
    @Test("abuse-F2: the decoder adds what swift-protobuf decodes, and leaves the rest")
    func decoder() throws {
        for number in Numbers.edges {
            let bytes = Numbers.encode([number])
            for rest in [[], [0], [0xff], Array(repeating: 0xff, count: 40)] as [[UInt8]] {
                var decoder = NumberDecoder()
                #expect(decoder.add((bytes + rest).span.bytes) == bytes.count)
                #expect(decoder.sum == Int64(number))
                #expect(decoder.count == 1)
            }
        }
    }

    @Test("grpc-R6: the decoder takes every complete message, wherever the bytes end")
    func decoderEnds() {
        let numbers = Numbers.edges + Numbers.samples(500)
        let bytes = Numbers.encode(numbers)
        var (whole, sum, end) = (0, Int64(0), 0)
        for cut in 0...bytes.count {
            if whole < numbers.count, cut == end + Numbers.encode([numbers[whole]]).count {
                sum += Int64(numbers[whole])
                whole += 1
                end = cut
            }
            var decoder = NumberDecoder()
            #expect(decoder.add(bytes.span.bytes.extracting(..<cut)) == end)
            #expect(decoder.count == whole)
            #expect(decoder.sum == sum)
        }
    }

    @Test(
        "The largest bytes do not overflow, however many there are",
        arguments: [.max, -1, 127, .min] as [Int32])
    func decoderPlaces(_ number: Int32) {
        let bytes = Numbers.encode(Array(repeating: number, count: 20_000))
        var decoder = NumberDecoder()
        #expect(decoder.add(bytes.span.bytes) == bytes.count)
        #expect(decoder.sum == 20_000 * Int64(number))
    }

    @Test("The largest bytes do not overflow where no other cursor can start", arguments: 400..<460)
    func decoderPlacesOfOne(_ before: Int) {
        // Empty messages, which no cursor starts at, near the middle of a block, and numbers of seven bytes around.
        let numbers = [Int32](repeating: 127, count: before) + [Int32](repeating: 0, count: 20)
        let bytes = Numbers.encode(numbers + [Int32](repeating: 127, count: 900 - before))
        var decoder = NumberDecoder()
        #expect(decoder.add(bytes.span.bytes) == bytes.count)
        #expect(decoder.sum == 900 * 127)
    }

    @Test(
        "abuse-F2: an unusual message is left alone, and so is what looks like messages within it",
        arguments: 0..<300)
    func decoderInside(_ before: Int) throws {
        // A field that is not known, whose value is messages.
        let inside = Numbers.encode(Array(repeating: 7, count: 100))
        let unusual: [UInt8] = [0, 0, 0, 2, 0xbf, 0x1a, 0xbc, 0x05] + inside
        let bytes = Numbers.encode(Array(repeating: 1, count: before))
        var decoder = NumberDecoder()
        #expect(decoder.add((bytes + unusual + bytes).span.bytes) == bytes.count)
        #expect(decoder.sum == Int64(before))
        #expect(try Numbers.sum([bytes + unusual + bytes]) == Int32(2 * before))
    }

    @Test("abuse-H7, grpc-R6: the sum does not depend on where the stream is cut")
    func everySplit() throws {
        let numbers = Numbers.edges.filter { abs(Int64($0)) < 1 << 24 } + [.min, .max]
        let bytes = Numbers.encode(numbers)
        let expected = Int32(truncatingIfNeeded: numbers.reduce(0) { $0 + Int64($1) })
        for cut in 0...bytes.count {
            #expect(try Numbers.sum([Array(bytes[..<cut]), Array(bytes[cut...])]) == expected)
        }
        #expect(try Numbers.sum(bytes.map { [$0] }) == expected)
    }

    @Test("abuse-F2, abuse-P7: a number with one flipped bit is decoded like swift-protobuf does")
    func changedBits() throws {
        for number in Numbers.edges {
            let bytes = Numbers.encode([number])
            for bit in 0..<(bytes.count * 8) {
                var changed = bytes
                changed[bit / 8] ^= 1 << (bit % 8)
                let general = Result { try Self.generalSum(changed) }
                let ours = Result { try Numbers.sum([changed], overflow: .wrap) }
                #expect((try? ours.get()) == (try? general.get()), "\(changed)")
            }
        }
    }

    @Test("abuse-F1, abuse-F2: random messages give the same sum as swift-protobuf")
    func differential() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let usual = Int.random(in: 1...100, using: &generator)
            let messages = (0..<500).map { _ in Self.anyEncoding(usual: usual, &generator) }
            let expected = try messages.reduce(Int64(0)) {
                $0 + Int64(try Tutorial_NumberRequest(serializedBytes: $1).num)
            }
            let stream = messages.reduce(into: ByteBuffer()) { $0.writeMessage($1) }
            let bytes = [UInt8](stream.readableBytesView)
            let cut = Int.random(in: 0...bytes.count)
            let sum = try Numbers.sum([Array(bytes[..<cut]), Array(bytes[cut...])], overflow: .wrap)
            #expect(sum == Int32(truncatingIfNeeded: expected))
        }
    }

    /// The sum by way of swift-protobuf alone.
    private static func generalSum(_ bytes: [UInt8]) throws -> Int32 {
        var (reader, stream) = (MessageReader(maxLength: 1000), ByteBuffer(bytes: bytes))
        var sum: Int32 = 0
        while let message = try reader.next(from: &stream) {
            sum &+= try Tutorial_NumberRequest(serializedBytes: [UInt8](message.readableBytesView)).num
        }
        try reader.finish()
        return sum
    }

    /// A message in one of the many ways that protobuf allows.
    ///
    /// - Parameter usual: how many of a hundred are as swift-protobuf writes them.
    private static func anyEncoding(usual: Int, _ generator: inout SystemRandomNumberGenerator) -> [UInt8] {
        let number =
            Int32.random(in: .min ... .max, using: &generator) >> Int32.random(in: 0...31, using: &generator)
        let plain = (try? Tutorial_NumberRequest.with { $0.num = number }.serializedBytes() as [UInt8]) ?? []
        guard Int.random(in: 0..<100, using: &generator) >= usual else { return plain }
        switch Int.random(in: 0..<9, using: &generator) {
        case 0: return plain + plain
        case 1: return [0x10, 0x96, 0x01] + plain
        case 2: return plain + [0x1a, 0x02, 0x68, 0x69]
        case 3: return [0x08, 0x85, 0x80, 0x80, 0x00]
        case 4: return [0x08, 0xff, 0xff, 0xff, 0xff, 0x0f]
        case 5: return [0x08, 0x87, 0x80, 0x80, 0x80, 0x10]
        case 6: return [0x0d, 1, 2, 3, 4] + plain
        case 7: return [0x08, 0x00]
        // Ten bytes, of which the bits above 32 are not those of the number.
        default: return [0x08, 0x81, 0x80, 0x80, 0x80, 0xf8, 0xff, 0xff, 0xff, 0xfe, 0x01]
        }
    }
}
