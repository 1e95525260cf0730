import NIOCore
import Testing

@testable import SumCore

/// Totals that take more numbers than a test can send.
@Suite struct NumberTotalTests {
    private func handler(_ overflow: SumNumbers.Overflow) -> SumNumbersHandler {
        SumNumbersHandler(overflow: overflow, context: .sample())
    }

    /// The reply to a call after `earlier` numbers with a total, and then the numbers of a stream.
    private func answer(
        _ overflow: SumNumbers.Overflow, total: Int128, count: Int64, then numbers: [Int32] = []
    ) -> ServerReply {
        let handler = handler(overflow)
        handler.decoder.add(sum: total, count: count)
        _ = handler.receive(ByteBuffer(bytes: Numbers.encode(numbers)))
        return handler.receiveEnd()
    }

    @Test("audit-W3: a total beyond 64 bits is exact, and does not wrap into the range of int32")
    func beyond64Bits() {
        // 2^33 + 4 times the largest number: -4 in 64 bits.
        let count: Int64 = (1 << 33) + 4
        let total = Int128(count) * Int128(Int32.max)
        let reply = answer(.error, total: total - Int128(Int32.max), count: count - 1, then: [.max])
        #expect(reply.end?.code == .outOfRange)
        #expect(reply.end?.message == "the sum 18446744073709551612 of 8589934596 numbers does not fit int32")
        let stated = SumNumbers.OutOfRange(sum: 18_446_744_073_709_551_612, count: 8_589_934_596)
        #expect(reply.end.flatMap(SumNumbers.OutOfRange.init) == stated)
        let below = answer(.error, total: -total, count: count, then: [-1])
        #expect(
            below.end?.message == "the sum -18446744073709551613 of 8589934597 numbers does not fit int32")
    }

    @Test("audit-W3: a total that exceeds 64 bits on the way is the sum if it fits in the end")
    func backInRange() {
        let reply = answer(.error, total: 7 - 5_000, count: 1 << 40, then: Array(repeating: 5, count: 1_000))
        #expect(reply.end == .ok)
        #expect(Array(reply.messages.readableBytesView) == [0, 0, 0, 0, 2, 8, 7])
        var decoder = NumberDecoder()
        decoder.add(sum: Int128(Int64.max), count: 1)
        decoder.add(1)
        #expect(decoder.sum == Int128(1) << 63)
        for _ in 0..<1 << 10 { decoder.add(sum: Int128(Int64.max), count: 1) }
        decoder.add(sum: -Int128(Int64.max) * (1 << 10), count: 1)
        decoder.add(.min)
        #expect(decoder.sum == (Int128(1) << 63) + Int128(Int32.min))
    }

    @Test("audit-W3: with --overflow wrap the sum is right modulo 2^32, however large the total")
    func wrap() {
        for total in [Int128(1) << 63, -(Int128(1) << 63) - 1, (Int128(1) << 94) + 5, Int128(Int64.max)] {
            let reply = answer(.wrap, total: total, count: 1 << 62, then: [3])
            var expected = ByteBuffer()
            expected.writeNumber(Int32(truncatingIfNeeded: total + 3))
            #expect(reply.end == .ok)
            #expect(reply.messages == expected)
        }
    }

    @Test(
        "audit-W3: each path of the loop works with a total near the limits",
        arguments: [Int32.max, .min, -1, 1, 0])
    func paths(_ number: Int32) {
        for count in [1, 2, 30, 300, 3_000] {
            for total in [Int128(Int64.max), Int128(Int64.min)] {
                var decoder = NumberDecoder()
                decoder.add(sum: total, count: 5)
                let bytes = Numbers.encode(Array(repeating: number, count: count))
                #expect(decoder.add(bytes.span.bytes) == bytes.count)
                #expect(decoder.sum == total + Int128(number) * Int128(count))
                #expect(decoder.count == Int64(count) + 5)
            }
        }
    }
}
