internal import NIOCore

/// Delays reads from a peer that sends many small pieces, such as one that writes each message separately, so that its
/// bytes gather.
///
/// Waking up and reading costs many times what a few bytes cost to process. Reads are delayed after a rapid series of
/// small pieces, if each is only data of calls that go on, and nothing was sent meanwhile that the peer may be waiting
/// for. Anything else ends the delay.
struct ReadCoalescing {
    /// Bytes below which a piece counts as small.
    private static let smallPiece = 1 << 10
    /// Small pieces in a row after which reads are delayed.
    private static let row = 64
    /// The longest time that such a row may take.
    private static let rowLimit = TimeAmount.milliseconds(10)
    /// Bytes that must have gathered for a delay to have been worthwhile.
    private static let worthwhile = 64
    /// How long a read is delayed, and thus how late data may be.
    static let pause = TimeAmount.milliseconds(1)

    private var pieces = 0
    private var rowBegin = NIODeadline.distantPast
    /// Whether to delay the next read.
    private(set) var isPausing = false

    /// Accounts for a piece that was read.
    ///
    /// - Parameter isMereData: whether it was only data, and nothing was sent since the last piece.
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
