import Testing

@testable import SumCore

@Suite struct FrameSlicerTests {
    /// A preface, a frame with a payload, an empty frame, and a frame again.
    static let stream: [UInt8] =
        Array(repeating: 0x50, count: 24) + [0, 0, 3, 0, 0, 0, 0, 0, 1, 7, 8, 9] + [
            0, 0, 0, 4, 0, 0, 0, 0, 0,
        ]
        + [0, 0, 1, 0, 1, 0, 0, 0, 1, 5]

    /// What is passed on when the stream comes in pieces: every byte, in order, and no header in part.
    private func pass(_ pieces: [ArraySlice<UInt8>]) -> (bytes: [UInt8], pieces: [[UInt8]]) {
        var boundary = FrameSlicer(skipping: 24)
        var passed: [[UInt8]] = []
        for piece in pieces {
            var rest = Array(piece)
            if !boundary.held.isEmpty {
                let (taken, isWhole) = boundary.completeHeader(from: rest.span.bytes)
                rest.removeFirst(taken)
                guard isWhole else { continue }
                passed.append(boundary.held)
                boundary.releaseHeader()
            }
            while !rest.isEmpty, boundary.held.isEmpty {
                let count = boundary.advance(over: rest.span.bytes)
                passed.append(Array(rest[..<count]))
                rest.removeFirst(count)
            }
        }
        return (passed.flatMap { $0 }, passed)
    }

    @Test("A frame header cut in two is passed on whole", arguments: 0...stream.count)
    func everySplit(at cut: Int) {
        let passed = pass([Self.stream[..<cut], Self.stream[cut...]])
        #expect(passed.bytes == Self.stream)
    }

    @Test("Headers are passed on whole when bytes come one at a time")
    func bytewise() {
        let passed = pass(Self.stream.indices.map { Self.stream[$0...$0] })
        #expect(passed.bytes == Self.stream)
        #expect(
            passed.pieces.filter { $0.count == 9 } == [
                Array(Self.stream[24..<33]), Array(Self.stream[36..<45]), Array(Self.stream[45..<54]),
            ])
    }
}
