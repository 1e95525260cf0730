/// How much slow work a handler may do on its event loop before others have their turn.
///
/// Slow work is what may cost far more than the bytes that ask for it: decompressing, and parsing with swift-protobuf.
/// It is counted in bytes, which take 50 ns each at worst (fields of two bytes that the message does not know). So a
/// turn is bounded in time, and does not need a clock.
public struct TurnBudget: Sendable {
    /// What a message costs beside its bytes.
    static let perMessage = 16
    /// The work of a whole turn, of all connections of an event loop: half a millisecond at worst.
    static let turn = 10_000
    /// What a connection may do before the next has its turn.
    static let connectionSlice = 2_500
    /// What a call may do before the next of its connection has its turn.
    static let callSlice = 1_250

    private(set) var left: Int

    /// - Parameter bytes: what may be decompressed or parsed slowly.
    init(_ bytes: Int) {
        left = bytes
    }

    /// A budget that is never used up.
    public static var unlimited: TurnBudget { TurnBudget(.max) }

    /// Whether others are to have their turn. The last message before may have cost more than was left.
    public var isSpent: Bool { left <= 0 }

    /// Counts a message that was decompressed or parsed slowly.
    ///
    /// - Parameter byteCount: its length, decompressed.
    public mutating func spendOnMessage(of byteCount: Int) {
        left -= byteCount + Self.perMessage
    }

    /// Splits off at most `bytes` of it; to be given back with `add`.
    mutating func split(_ bytes: Int) -> TurnBudget {
        let part = TurnBudget(min(bytes, left))
        left -= part.left
        return part
    }

    /// Takes back what is left of a part, which may be less than nothing.
    mutating func add(_ part: TurnBudget) {
        left += part.left
    }
}
