import ScriptedPeers
import Testing

@testable import SumCore

@Suite struct FrameSlicerTests {
    /// A preface, a frame with a payload, an empty frame, and a frame again.
    static let stream: [UInt8] =
        Array(repeating: 0x50, count: 24) + [0, 0, 3, 0, 0, 0, 0, 0, 1, 7, 8, 9] + [
            0, 0, 0, 4, 0, 0, 0, 0, 0,
        ]
        + [0, 0, 1, 0, 1, 0, 0, 0, 1, 5]

    /// What is passed on when the stream arrives in pieces: every byte, in order, and no partial header.
    private func pass(_ pieces: [ArraySlice<UInt8>]) -> (bytes: [UInt8], pieces: [[UInt8]]) {
        var slicer = FrameSlicer(skipping: 24)
        var passed: [[UInt8]] = []
        for piece in pieces {
            var rest = Array(piece)
            if !slicer.held.isEmpty {
                let (taken, isWhole) = slicer.completeHeader(from: rest.span.bytes)
                rest.removeFirst(taken)
                guard isWhole else { continue }
                passed.append(slicer.held)
                slicer.releaseHeader()
            }
            while !rest.isEmpty, slicer.held.isEmpty {
                let count = slicer.advance(over: rest.span.bytes)
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

    @Test("Frame headers are passed on whole when bytes arrive one at a time")
    func bytewise() {
        let passed = pass(Self.stream.indices.map { Self.stream[$0...$0] })
        #expect(passed.bytes == Self.stream)
        let headers: [[UInt8]] = [24..<33, 36..<45, 45..<54].map { Array(Self.stream[$0]) }
        #expect(passed.pieces.filter { $0.count == 9 } == headers)
    }

    @Test("Frames that may need a response are passed on eight at a time")
    func slices() {
        var slicer = FrameSlicer(skipping: 0)
        let bytes = (0..<25).flatMap { _ in WireFrame.ping().bytes }
        #expect(slicer.advance(over: bytes.span.bytes) == 8 * 17)
        #expect(slicer.takeCounts().overhead == 8)
        #expect(slicer.advance(over: Array(bytes[136...]).span.bytes) == 8 * 17)
        #expect(slicer.advance(over: Array(bytes[272...]).span.bytes) == 8 * 17)
        #expect(slicer.takeCounts().overhead == 16)
    }

    @Test("abuse-R8: any number of DATA frames is passed on at once")
    func noSlices() {
        var slicer = FrameSlicer(skipping: 0)
        let bytes = (0..<1000).flatMap { _ in WireFrame.data([0], on: 1).bytes }
        #expect(slicer.advance(over: bytes.span.bytes) == 10_000)
        #expect(slicer.takeCounts().data == 1000)
    }

    @Test(
        "abuse-R4: a header block that is too long on the wire is not passed on, in whatever frames it arrives"
    )
    func headerBlock() {
        func slicer() -> FrameSlicer {
            FrameSlicer(skipping: 0, headerBlock: HeaderBlockLength(limit: 100, maxFrameSize: 1000))
        }
        func block(_ lengths: Int...) -> [UInt8] {
            lengths.enumerated().flatMap { index, length in
                WireFrame(
                    index == 0 ? .headers : .continuation,
                    flags: index == lengths.count - 1 ? .endHeaders : [],
                    on: 1, payload: Array(repeating: 0, count: length)
                ).bytes
            }
        }
        for (bytes, passed) in [
            (block(100), 109), (block(101), 0), (block(50, 50), 118), (block(50, 51), 59),
            (block(100) + block(100), 218), (block(1001), 1010),
        ] {
            var slicer = slicer()
            #expect(slicer.advance(over: bytes.span.bytes) == passed)
            #expect(slicer.headerBlock.isTooLong == (passed < bytes.count))
        }
    }

    @Test("abuse-R15: whether a header block is arriving")
    func openBlock() {
        var slicer = FrameSlicer(skipping: 0)
        var isOpen: [Bool] = []
        let bytes =
            WireFrame.headers([WireField("a", "b")], on: 1, endHeaders: false).bytes
            + WireFrame.continuation([WireField("a", "b")], on: 1, endHeaders: true).bytes
            + WireFrame.data([1, 2, 3], on: 1).bytes
        for byte in bytes {
            slicer.advance(over: [byte], inPiecesOf: 1)
            isOpen.append(slicer.isInHeaderBlock)
        }
        let fieldLength = WireField.encode([WireField("a", "b")]).count
        let expected =
            Array(repeating: false, count: 8) + Array(repeating: true, count: 9 + 2 * fieldLength)
            + Array(repeating: false, count: 13)
        #expect(isOpen == expected)
    }
}
