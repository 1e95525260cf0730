import Testing

@testable import SumCore

@Suite struct NumberEncoderTests {
    @Test("abuse-F2: the encoder writes what swift-protobuf writes")
    func encoder() throws {
        for number in Numbers.edges {
            #expect(Numbers.encode([number]) == (try Numbers.oracle([number])), "\(number)")
        }
        let samples = Numbers.samples(10_000)
        #expect(Numbers.encode(samples) == (try Numbers.oracle(samples)))
    }

    @Test(
        "The encoder stops where the longest encoding would not fit",
        arguments: [
            (15, []), (16, [0, 0, 0, 0, 2, 8, 1]), (23, [0, 0, 0, 0, 2, 8, 1, 0, 0, 0, 0, 2, 8, 2]),
        ]
            as [(Int, [UInt8])])
    func encoderRoom(_ room: Int, _ bytes: [UInt8]) {
        let frame = withFrame(room: room) { NumberEncoder.append([1, 2].span, to: &$0) }
        #expect(frame.bytes == bytes)
        #expect(frame.result == bytes.count / 7)
    }

    /// A number of each length.
    private static let lengths: [Int32] = [0, 127, 16_383, 2_097_151, 268_435_455, .max, -1]

    @Test("abuse-F2: numbers of any lengths stand in any order", arguments: lengths)
    func encoderOrders(_ first: Int32) throws {
        for second in Self.lengths {
            for third in Self.lengths {
                for fourth in Self.lengths {
                    // Four and four go through the loop together, the ninth alone.
                    let four = [first, second, third, fourth]
                    let numbers = four + four.reversed() + [first]
                    #expect(Numbers.encode(numbers) == (try Numbers.oracle(numbers)), "\(numbers)")
                }
            }
        }
    }

    @Test("abuse-F2: long runs of one length, and of two in turn", arguments: lengths)
    func encoderRuns(_ number: Int32) throws {
        for other in Self.lengths {
            let numbers = (0..<999).map { $0 % 2 == 0 ? number : other }
            #expect(Numbers.encode(numbers) == (try Numbers.oracle(numbers)), "\(number), \(other)")
        }
    }

    @Test("A single number has the same words and count of bytes")
    func encoderWords() throws {
        for number in Numbers.edges + Numbers.samples(1000) {
            let words = NumberEncoder.words(of: number)
            let bytes = (0..<16).map {
                UInt8(truncatingIfNeeded: ($0 < 8 ? words.head : words.tail) >> (8 * ($0 % 8)))
            }
            #expect(Array(bytes.prefix(words.byteCount)) == (try Numbers.oracle([number])), "\(number)")
        }
    }

    /// Each ends at a byte at which the next encoding would no longer fit, or at the last number.
    @Test("abuse-F2: the encoder fills any room, and writes nothing beyond it", arguments: 0...13)
    func encoderEnds(_ count: Int) throws {
        for numbers in [
            Array(Numbers.samples(count)), Array(repeating: 5, count: count),
            Array(repeating: -5, count: count),
        ] {
            let whole = try Numbers.oracle(numbers)
            for before in [0, 3] {
                for room in before...(whole.count + 70) {
                    var memory = [UInt8](repeating: 0x5a, count: room + 64)
                    var taken = 0
                    let end = memory.withUnsafeMutableBytes { memory in
                        let part = UnsafeMutableRawBufferPointer(rebasing: memory[..<room])
                        var frame = OutputRawSpan(buffer: part, initializedCount: before)
                        taken = NumberEncoder.append(numbers.span, to: &frame)
                        return frame.finalize(for: part)
                    }
                    #expect(memory[before..<end] == whole[..<(end - before)])
                    #expect(
                        taken == count ? end - before == whole.count : room - end < NumberEncoder.maxLength)
                    #expect(memory[..<before].allSatisfy { $0 == 0x5a })
                    #expect(memory[room...].allSatisfy { $0 == 0x5a })
                }
            }
        }
    }

    /// Every number of so many bits has a frame; between the edges, they differ in nothing that matters to it.
    @Test("abuse-F2: random numbers of each count of bits", arguments: 0...32)
    func encoderBits(_ bits: Int) throws {
        var generator = SystemRandomNumberGenerator()
        let numbers = (0..<1000).map { _ in
            let any = UInt64(UInt32.random(in: .min ... .max, using: &generator))
            return Int32(
                truncatingIfNeeded: bits == 0 ? 0 : any >> (32 - UInt64(bits)) | 1 << (UInt64(bits) - 1))
        }
        #expect(Numbers.encode(numbers) == (try Numbers.oracle(numbers)))
    }
}
