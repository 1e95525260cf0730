import NIOCore
import Testing

@testable import SumCore

@Suite struct MessageScannerTests {
    private static let stream: [UInt8] =
        [0, 0, 0, 0, 2, 8, 7] + [0, 0, 0, 0, 0] + [1, 0, 0, 0, 3, 1, 2, 3]
        + [0, 0, 0, 1, 4] + Array(repeating: 9, count: 260)

    private static let messages = [
        ObservedMessage(number: 0, size: 2, isCompressed: false),
        ObservedMessage(number: 1, size: 0, isCompressed: false),
        ObservedMessage(number: 2, size: 3, isCompressed: true),
        ObservedMessage(number: 3, size: 260, isCompressed: false),
    ]

    private func scan(_ pieces: [ArraySlice<UInt8>], limit: Int64 = .max) -> (Int64, [ObservedMessage]) {
        var scanner = MessageScanner()
        var found: [ObservedMessage] = []
        for piece in pieces {
            let bytes = ByteBuffer(bytes: piece)
            scanner.scan(bytes.readableBytesSpan, limit: limit) { found.append($0) }
        }
        return (scanner.count, found)
    }

    @Test("Messages are found wherever the bytes are cut")
    func everySplit() {
        for cut in 0...Self.stream.count {
            let (count, found) = scan([Self.stream[..<cut], Self.stream[cut...]])
            #expect(count == 4)
            #expect(found == Self.messages, "cut at \(cut)")
        }
        #expect(scan(Self.stream.indices.map { Self.stream[$0...$0] }).1 == Self.messages)
    }

    @Test("A message counts when its last byte has come")
    func incomplete() {
        for length in 0..<Self.stream.count {
            let ends = [7, 12, 20, Self.stream.count]
            #expect(scan([Self.stream[..<length]]).0 == Int64(ends.filter { $0 <= length }.count))
        }
    }

    @Test("Nothing is scanned beyond the limit", arguments: 0...5)
    func limit(_ limit: Int64) {
        for cut in [0, 6, 9, 100] {
            let (count, found) = scan([Self.stream[..<cut], Self.stream[cut...]], limit: limit)
            #expect(count == min(limit, 4))
            #expect(found == Array(Self.messages.prefix(Int(limit))))
        }
    }

    @Test("The longest length does no harm")
    func longest() {
        let prefix: [UInt8] = [0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3]
        #expect(scan([prefix[...], prefix[...]]).0 == 0)
    }

    @Test(
        "Prefixes are taken off the bytes of messages, however little has come",
        arguments: [(0, 0, 0), (7, 1, 2), (4, 1, 0), (21, 3, 6), (10, 0, 10)] as [(Int, Int64, Int)])
    func prefixes(_ bytes: Int, _ count: Int64, _ expected: Int) {
        #expect(MessagePrefix.removed(from: bytes, count: count) == expected)
    }
}
