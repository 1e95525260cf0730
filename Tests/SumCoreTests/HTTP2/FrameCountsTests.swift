import ScriptedPeers
import Testing

@testable import SumCore

/// What frames count as, and where the stream is cut into slices.
@Suite struct FrameCountsTests {
    private static let unknown = WireFrame(WireFrame.Kind(rawValue: 0xfa), on: 7, payload: [1, 2, 3])

    enum Worth { case data, overhead, reset }

    static let frames: [(WireFrame, Worth)] = [
        (.headers(.request, on: 1), .overhead),
        (.headers(.request, on: 1, endHeaders: false), .overhead),
        (.continuation([], on: 1, endHeaders: true), .overhead),
        (.data([1], on: 1), .data),
        (.data([], on: 1), .overhead),
        (.data([], on: 1, endStream: true), .overhead),
        (.data([1], on: 1, padding: 0), .data),
        (.data([1], on: 1, padding: 255), .data),
        (.data([], on: 1, padding: 0), .overhead),
        (.data([], on: 1, padding: 255), .overhead),
        (.data([], on: 1, endStream: true, padding: 255), .overhead),
        (.rstStream(8, on: 1), .reset),
        (.settings(), .overhead), (.settingsAck, .overhead), (.ping(), .overhead),
        (.ping(ack: true), .overhead),
        (.windowUpdate(1), .overhead), (.priority(on: 1), .overhead), (.goAway(lastStreamID: 0), .overhead),
        (.pushPromise([], promised: 2, on: 1), .overhead), (unknown, .overhead),
    ]

    @Test("What frames count as, also when they come byte by byte", arguments: frames, [1, 1000])
    func worth(_ frame: (WireFrame, Worth), _ pieceLength: Int) {
        var boundary = FrameSlicer(skipping: 0)
        pass(frame.0.bytes, to: &boundary, pieceLength)
        var expected = FrameCounts()
        switch frame.1 {
        case .data: expected.data = 1
        case .overhead: expected.overhead = 1
        case .reset: expected.resets = 1
        }
        #expect(boundary.takeCounts() == expected)
        #expect(boundary.takeCounts() == FrameCounts())
    }

    private func pass(_ bytes: [UInt8], to boundary: inout FrameSlicer, _ pieceLength: Int) {
        for start in stride(from: 0, to: bytes.count, by: pieceLength) {
            var rest = bytes[start..<min(start + pieceLength, bytes.count)]
            if !boundary.held.isEmpty {
                let (taken, isWhole) = boundary.completeHeader(from: Array(rest).span.bytes)
                rest = rest.dropFirst(taken)
                guard isWhole else { continue }
                boundary.releaseHeader()
            }
            _ = boundary.advance(over: Array(rest).span.bytes)
        }
    }

    @Test("What may ask for answers is passed on eight frames at a time")
    func slices() {
        var boundary = FrameSlicer(skipping: 0)
        let bytes = (0..<25).flatMap { _ in WireFrame.ping().bytes }
        #expect(boundary.advance(over: bytes.span.bytes) == 8 * 17)
        #expect(boundary.takeCounts().overhead == 8)
        #expect(boundary.advance(over: Array(bytes[136...]).span.bytes) == 8 * 17)
        #expect(boundary.advance(over: Array(bytes[272...]).span.bytes) == 8 * 17)
        #expect(boundary.takeCounts().overhead == 16)
    }

    @Test("abuse-R8: data is passed on however many frames there are")
    func noSlices() {
        var boundary = FrameSlicer(skipping: 0)
        let bytes = (0..<1000).flatMap { _ in WireFrame.data([0], on: 1).bytes }
        #expect(boundary.advance(over: bytes.span.bytes) == 10_000)
        #expect(boundary.takeCounts().data == 1000)
    }

    @Test("abuse-R4: a header block that is too long on the wire is not passed on, whatever frames it has")
    func headerBlock() {
        func boundary() -> FrameSlicer {
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
            var boundary = boundary()
            #expect(boundary.advance(over: bytes.span.bytes) == passed)
            #expect(boundary.headerBlock.isTooLong == (passed < bytes.count))
        }
    }

    @Test("abuse-R15: whether a header block is arriving")
    func openBlock() {
        var boundary = FrameSlicer(skipping: 0)
        var isOpen: [Bool] = []
        let bytes =
            WireFrame.headers([WireField("a", "b")], on: 1, endHeaders: false).bytes
            + WireFrame.continuation([WireField("a", "b")], on: 1, endHeaders: true).bytes
            + WireFrame.data([1, 2, 3], on: 1).bytes
        for byte in bytes {
            pass([byte], to: &boundary, 1)
            isOpen.append(boundary.isInHeaderBlock)
        }
        let fieldLength = WireField.encode([WireField("a", "b")]).count
        let expected =
            Array(repeating: false, count: 8) + Array(repeating: true, count: 9 + 2 * fieldLength)
            + Array(repeating: false, count: 13)
        #expect(isOpen == expected)
    }
}
