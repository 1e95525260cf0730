import Testing

@testable import SumCore

@Suite struct TLSRecordsTests {
    static func record(_ length: Int) -> [UInt8] {
        [23, 3, 3, UInt8(length >> 8), UInt8(length & 0xff)]
            + (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    }

    /// The lengths of the pieces of what arrives in these reads.
    private func pieces(_ reads: [[UInt8]]) -> [[Int]] {
        var records = TLSRecords()
        return reads.map { read in
            var (lengths, rest) = ([Int](), read)
            while !rest.isEmpty {
                let length = records.pieceLength(of: rest.span.bytes, limit: TLSRecords.maxLength)
                guard length > 0 else { break }
                lengths.append(length)
                rest.removeFirst(length)
            }
            return lengths
        }
    }

    @Test(
        "A piece has one long record, or short ones that have no more data together",
        arguments: [
            ([], []), ([0], [5]), ([0, 0, 7], [22]), ([16_408], [16_413]), ([16_640, 1], [16_645, 6]),
            ([16_400, 18], [16_428]), ([16_400, 19], [16_405, 24]), ([16_401, 17], [16_428]),
            ([16_401, 18], [16_406, 23]), ([8000, 8000, 8000], [16_010, 8005]),
            ([65_535, 65_535], [65_540, 65_540]),
        ])
    func lengths(_ records: [Int], _ expected: [Int]) {
        #expect(pieces([records.flatMap(Self.record)]) == [expected])
    }

    @Test("Reads that end anywhere do not change what ends in a piece", arguments: 1..<60)
    func splits(_ size: Int) {
        let lengths = [3, 0, 16_400, 1, 10, 16_408, 40, 16_300, 200, 16_401]
        let stream = lengths.flatMap(Self.record)
        // The first reads end at every byte of the first records; those after them are of all sizes.
        let reads =
            [Array(stream[..<size])]
            + stride(from: size, to: stream.count, by: 331 * size).map {
                Array(stream[$0..<min($0 + 331 * size, stream.count)])
            }
        let cuts = pieces(reads)
        #expect(cuts.map { $0.reduce(0, +) } == reads.map(\.count))
        var ends = lengths.reduce(into: [0]) { $0.append($0[$0.count - 1] + 5 + $1) }.dropFirst()
        var position = 0
        for length in cuts.joined() {
            position += length
            let ended = ends.prefix { $0 <= position }.count
            let data = lengths[(lengths.count - ends.count)...].prefix(ended).map { max(0, $0 - 17) }
            let sum = data.reduce(0, +)
            #expect(ended <= 1 || sum <= TLSRecords.maxLength)
            ends = ends.dropFirst(ended)
        }
        #expect(ends.isEmpty)
    }

    @Test("Bytes that are no records come in pieces, too")
    func nonsense() {
        let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 197) }
        #expect(pieces([bytes])[0].reduce(0, +) == bytes.count)
    }
}
