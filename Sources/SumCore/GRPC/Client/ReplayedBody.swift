internal import NIOCore

/// The request's messages as the attempts of a call send them: first again what earlier attempts have sent, then what
/// follows. Belongs to the event loop.
final class ReplayedBody: HTTP2Body {
    private let messages: any HTTP2Body
    private(set) var replay = ReplayBuffer()

    /// Bytes given to the streams of all attempts.
    private(set) var byteCount = 0

    init(_ messages: any HTTP2Body) {
        self.messages = messages
    }

    /// The next attempt sends everything from the beginning.
    ///
    /// - Returns: false when the beginning is not kept any more: then there must be no next attempt.
    func rewind() -> Bool { replay.rewind() }

    /// Nothing will have to be sent again.
    func drop() { replay.drop() }

    func fill(_ frame: inout OutputRawSpan) -> HTTP2BodyState {
        let room = frame.freeCapacity
        defer { byteCount += room - frame.freeCapacity }
        return replay.fill(&frame) { messages.fill(&$0) }
    }

    func takeLongPiece(maximum: Int) -> (bytes: ByteBuffer, state: HTTP2BodyState)? {
        // A piece that is kept, or that comes after some that is sent again, is copied.
        guard replay.isOver, let piece = messages.takeLongPiece(maximum: maximum) else { return nil }
        byteCount += piece.bytes.readableBytes
        return piece
    }
}
