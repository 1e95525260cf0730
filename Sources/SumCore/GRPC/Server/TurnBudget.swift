/// The amount of slow work that a handler may do on its event loop before others get their turn.
///
/// Slow work can cost far more than the bytes that cause it: decompression, and parsing with swift-protobuf. It is
/// counted in bytes, each of which takes at most 50 ns (unknown two-byte fields are the worst case). So the length of a
/// turn is bounded without a clock.
public struct TurnBudget: Sendable {
    /// The cost of a message in addition to its bytes.
    static let perMessage = 16
    /// The budget of a turn, for all connections of an event loop: at most half a millisecond.
    static let turn = 10_000
    /// The budget of a connection before the next one gets its turn.
    static let connectionSlice = 2_500
    /// The budget of a call before the next call of its connection gets its turn.
    static let callSlice = 1_250

    private(set) var left: Int

    /// - Parameter bytes: how many may be decompressed or parsed slowly.
    init(_ bytes: Int) {
        left = bytes
    }

    /// A budget that is never spent.
    public static var unlimited: TurnBudget { TurnBudget(.max) }

    /// Whether the handler must stop. The last message may have cost more than was left.
    public var isSpent: Bool { left <= 0 }

    /// Counts a message that was decompressed or parsed slowly.
    ///
    /// - Parameter byteCount: its decompressed size.
    public mutating func spendOnMessage(of byteCount: Int) {
        left -= byteCount + Self.perMessage
    }

    /// Splits off at most `bytes`. Return the rest of the part with `add`.
    mutating func split(_ bytes: Int) -> TurnBudget {
        let part = TurnBudget(min(bytes, left))
        left -= part.left
        return part
    }

    /// Adds what is left of a part, which may be negative.
    mutating func add(_ part: TurnBudget) {
        left += part.left
    }
}
