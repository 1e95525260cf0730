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
}
