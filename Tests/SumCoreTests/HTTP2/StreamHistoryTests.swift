import Testing

@testable import SumCore

/// The meaning of frames after earlier frames of a client, as a table.
@Suite struct StreamHistoryTests {
    private enum Step {
        case headers(UInt32, end: Bool, StreamHistory.Fault?)
        case data(UInt32, end: Bool, isOpen: Bool)
        case reset(UInt32)
    }

    private func run(_ steps: [Step], sourceLocation: SourceLocation = #_sourceLocation) {
        var history = StreamHistory()
        for (index, step) in steps.enumerated() {
            switch step {
            case .headers(let streamID, let end, let fault):
                let found = history.receivedHeaders(on: streamID, endStream: end)
                #expect(found == fault, "step \(index)", sourceLocation: sourceLocation)
            case .data(let streamID, let end, let isOpen):
                let found = history.receivedData(on: streamID, endStream: end)
                #expect(found == isOpen, "step \(index)", sourceLocation: sourceLocation)
            case .reset(let streamID):
                history.receivedReset(of: streamID)
            }
        }
    }

    @Test("h2spec 5.1: data and trailers once each, and nothing after the end")
    func ends() {
        run([
            .headers(1, end: false, nil), .data(1, end: false, isOpen: true), .headers(1, end: true, nil),
            .data(1, end: false, isOpen: false), .headers(1, end: false, .headersAfterEnd),
            .headers(3, end: true, nil), .headers(3, end: true, .headersAfterEnd),
            .headers(5, end: false, nil), .data(5, end: true, isOpen: true),
            .data(5, end: true, isOpen: false),
            .headers(7, end: false, nil), .reset(7), .reset(7), .data(7, end: false, isOpen: false),
            .headers(7, end: true, .headersAfterEnd),
        ])
    }

    @Test("h2spec 5.1.1/2: skipped stream ids cannot be used later")
    func skipped() {
        run([
            .headers(9, end: true, nil), .headers(3, end: true, .skippedStream),
            .headers(11, end: false, nil),
            .headers(15, end: false, nil), .headers(13, end: false, .skippedStream),
            .headers(11, end: true, nil),
            .headers(9, end: true, .headersAfterEnd),
        ])
    }

    @Test("Streams that are old, idle, even, or number 0 are not judged")
    func others() {
        let begun: [Step] = (0..<200).map { .headers(2 * $0 + 1, end: true, nil) }
        run(
            begun + [
                .headers(1, end: true, nil), .data(1, end: true, isOpen: true),
                .data(143, end: true, isOpen: true),
                .data(145, end: true, isOpen: false), .headers(145, end: true, .headersAfterEnd),
                .data(401, end: false, isOpen: true), .reset(401), .headers(401, end: false, nil),
                .data(2, end: true, isOpen: true), .data(0, end: true, isOpen: true),
                .headers(2, end: true, nil),
                .headers(0, end: true, nil), .headers(0x7fff_ffff, end: true, nil),
                .data(401, end: true, isOpen: true),
                .headers(0x7fff_fffd, end: true, .skippedStream),
            ])
    }
}
