internal import NIOCore

/// Lets the bytes of a peer gather that sends many small pieces, as those do that write each message by itself.
///
/// To be woken for some bytes, and to read them, costs many times what is done with them. So when a row of small
/// pieces has come quickly, each of them nothing but data of calls that go on, and nothing was sent meanwhile that
/// the peer may be waiting to react to, the next reads wait a little. Anything else ends that.
struct ReadCoalescing {
    /// Bytes below which a piece is small.
    private static let smallPiece = 1 << 10
    /// Small pieces in a row that show how the peer sends.
    private static let row = 64
    /// The longest time that such a row takes.
    private static let rowLimit = TimeAmount.milliseconds(10)
    /// Bytes that have to gather for a wait to have been worth it.
    private static let worthwhile = 64
    /// How long a read waits: what data may be late by.
    static let pause = TimeAmount.milliseconds(1)

    private var pieces = 0
    private var rowBegin = NIODeadline.distantPast
    /// Whether the next read is to wait.
    private(set) var isPausing = false

    /// A piece was read.
    ///
    /// - Parameter isMereData: whether it was nothing but data, and nothing was sent since the last piece.
    mutating func read(_ byteCount: Int, isMereData: Bool, at now: NIODeadline) {
        if isPausing {
            isPausing = isMereData && byteCount >= Self.worthwhile
            pieces = 0
            return
        }
        guard isMereData, byteCount < Self.smallPiece else { return pieces = 0 }
        if pieces == 0 { rowBegin = now }
        pieces += 1
        guard pieces == Self.row else { return }
        pieces = 0
        isPausing = now - rowBegin <= Self.rowLimit
    }
}
