#if TLS
import NIOCore
import Testing

@testable import SumCore

@Suite struct RecordCutterTests {
    private static func record(_ type: UInt8, _ length: Int) -> [UInt8] {
        [type, 3, 3, UInt8(length >> 8), UInt8(length & 255)]
            + (0..<length).map { UInt8(truncatingIfNeeded: $0) }
    }

    /// What is passed on when `pieces` arrive one after the other, by piece.
    private static func cut(_ pieces: [ArraySlice<UInt8>]) -> [[[UInt8]]] {
        var cutter = RecordCutter()
        return pieces.map { piece in
            var bytes = ByteBuffer(bytes: piece)
            var passed: [[UInt8]] = []
            while let next = cutter.next(from: &bytes) { passed.append([UInt8](next.readableBytesView)) }
            #expect(bytes.readableBytes == 0)
            return passed
        }
    }

    @Test("A record of application data is passed on whole, wherever the bytes are cut, and others at once")
    func everySplit() {
        let data = [Self.record(23, 30), Self.record(23, 0), Self.record(23, 1)]
        let stream = Self.record(22, 20) + Self.record(20, 1) + data.flatMap(\.self) + Self.record(21, 2)
        let beginning = 25 + 6
        for first in 0...stream.count {
            for second in first...stream.count {
                let passed = Self.cut([stream[..<first], stream[first..<second], stream[second...]])
                let all = passed.flatMap(\.self)
                #expect(all.flatMap(\.self) == stream)
                #expect(all.filter { $0.first == 23 && $0.count >= 5 } == data)
                // Nothing but the beginning of application data waits.
                let soon = passed[0].flatMap(\.self)
                if first <= beginning { #expect(soon == Array(stream[..<first])) }
            }
        }
    }

    @Test("Records of all lengths are passed on one by one, in reads of any length", arguments: 0..<4)
    func random(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let lengths = (0..<40).map { _ in
            [0, 1, Int.random(in: 0..<300, using: &random), 16384, 16384 + 2048].randomElement(using: &random)
                ?? 0
        }
        let records = [Self.record(22, 300)] + lengths.map { Self.record(23, $0) }
        let stream = records.flatMap(\.self)
        var pieces: [ArraySlice<UInt8>] = []
        var start = 305
        pieces.append(stream[..<start])
        while start < stream.count {
            let end = min(
                stream.count, start + Int.random(in: 1...(seed % 2 == 0 ? 100_000 : 700), using: &random))
            pieces.append(stream[start..<end])
            start = end
        }
        #expect(Self.cut(pieces).flatMap(\.self) == records)
    }

    @Test("What is not TLS is passed on as it arrives")
    func notTLS() {
        let tooLong = [23, 3, 3, 0xff, 0xff] + [UInt8](repeating: 7, count: 50)
        for cut in 5..<tooLong.count {
            let passed = Self.cut([tooLong[..<cut], tooLong[cut...]])
            #expect(passed.map { $0.flatMap(\.self) } == [Array(tooLong[..<cut]), Array(tooLong[cut...])])
        }
        // The first bytes could begin a record; the fifth shows that they do not.
        #expect(Self.cut(tooLong.indices.map { tooLong[$0...$0] }).flatMap(\.self).flatMap(\.self) == tooLong)
        let request = Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        for cut in 0...request.count {
            #expect(
                Self.cut([request[..<cut], request[cut...]])[0].flatMap(\.self) == Array(request[..<cut]))
        }
    }
}
#endif
