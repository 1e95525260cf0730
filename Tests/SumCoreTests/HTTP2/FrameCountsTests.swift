import ScriptedPeers
import Testing

@testable import SumCore

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

    @Test("How frames are counted, also when they arrive byte by byte", arguments: frames, [1, 1000])
    func worth(_ frame: (WireFrame, Worth), _ pieceLength: Int) {
        var slicer = FrameSlicer(skipping: 0)
        slicer.advance(over: frame.0.bytes, inPiecesOf: pieceLength)
        var expected = FrameCounts()
        switch frame.1 {
        case .data: expected.data = 1
        case .overhead: expected.overhead = 1
        case .reset: expected.resets = 1
        }
        #expect(slicer.takeCounts() == expected)
        #expect(slicer.takeCounts() == FrameCounts())
    }
}
