internal import NIOCore

/// The request's messages for all attempts of a call: each attempt first resends what earlier ones have sent, then
/// continues.
struct ReplayedBody {
    private let messages: any HTTP2Body
    private(set) var replay: ReplayBuffer

    /// Bytes passed to the streams of all attempts.
    private(set) var byteCount = 0

    init(_ messages: any HTTP2Body) {
        self.messages = messages
        replay = ReplayBuffer(keepsBytes: !messages.canRestart)
    }

    /// Rewinds to the beginning for the next attempt.
    ///
    /// - Returns: false if the beginning is no longer kept; then there must be no next attempt.
    mutating func rewind() -> Bool {
        guard replay.rewind() else { return false }
        messages.restart()
        return true
    }

    /// Drops what was sent: there will be no more retries.
    mutating func drop() { replay.drop() }

    /// See `HTTP2Body.fill`.
    mutating func fill(_ frame: inout OutputRawSpan) -> HTTP2BodyState {
        let room = frame.freeCapacity
        let messages = messages
        let state = replay.fill(&frame) { messages.fill(&$0) }
        byteCount += room - frame.freeCapacity
        return state
    }

    /// See `HTTP2Body.takeLongPiece`.
    mutating func takeLongPiece(maximum: Int) -> (bytes: ByteBuffer, state: HTTP2BodyState)? {
        // A piece is copied if it must be kept, or if something must be resent before it.
        guard replay.isOver, let piece = messages.takeLongPiece(maximum: maximum) else { return nil }
        byteCount += piece.bytes.readableBytes
        return piece
    }
}
