import NIOCore
import Testing

@testable import SumCore

@Suite struct ReplayedBodyTests {
    private func fill(_ body: inout ReplayedBody, room: Int) -> [UInt8] {
        withFrame(room: room) { body.fill(&$0) }.bytes
    }

    @Test("The bytes that all attempts were given are counted")
    func count() {
        var body = ReplayedBody(FixedBody(Array(0..<10)))
        #expect(fill(&body, room: 4) == [0, 1, 2, 3])
        #expect(body.byteCount == 4)
        #expect(body.rewind() == true)
        #expect(body.byteCount == 4)
        #expect(fill(&body, room: 6) == [0, 1, 2, 3, 4, 5])
        #expect(body.byteCount == 10)
        #expect(fill(&body, room: 100) == [6, 7, 8, 9])
        #expect(body.byteCount == 14)
        #expect(withFrame(room: 10) { body.fill(&$0) }.result == .finished(trailers: []))
        #expect(body.byteCount == 14)
    }

    @Test("A piece is handed over in its own memory only when nothing is kept, nor to be sent again")
    func pieces() {
        let source = PiecewiseBody(Array(0..<10))
        var body = ReplayedBody(source)
        #expect(body.takeLongPiece(maximum: 2) == nil)
        #expect(fill(&body, room: 4) == [0, 1, 2, 3])
        #expect(body.rewind() == true)
        body.drop()
        #expect(body.takeLongPiece(maximum: 2) == nil)
        #expect(fill(&body, room: 4) == [0, 1, 2, 3])
        let piece = body.takeLongPiece(maximum: 2)
        #expect(piece.map { [UInt8]($0.bytes.readableBytesView) } == [4, 5])
        #expect(source.piecesTaken == 1)
        #expect(body.byteCount == 10)
    }

    @Test("What was dropped, or is too much to keep, is not sent again")
    func dropped() {
        var body = ReplayedBody(FixedBody(Array(0..<10)))
        _ = fill(&body, room: 4)
        body.drop()
        #expect(body.rewind() == false)
        var long = ReplayedBody(FixedBody(Array(repeating: 1, count: ReplayBuffer.limit + 1)))
        _ = fill(&long, room: ReplayBuffer.limit)
        #expect(long.rewind() == true)
        _ = fill(&long, room: ReplayBuffer.limit)
        #expect(long.rewind() == true)
        _ = fill(&long, room: ReplayBuffer.limit + 1)
        #expect(long.rewind() == false)
    }
}
