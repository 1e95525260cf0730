internal import NIOCore

/// Limits the frames that a peer may send without making progress on any call.
///
/// Each kind of frame has a token bucket. It refills over time and is credited for useful work: a finished call pays
/// for one cancelled call; data, calls and responses pay for frames without data. So honest work is never limited at
/// any rate, and a flood gets no more work out of us than honest calls.
struct FrameBudget {
    /// Frames without data that a header list, or a HEADERS or DATA frame of ours, pays for: peers respond to DATA with
    /// WINDOW_UPDATE and PING, and a header list has up to nine frames.
    private static let perAnswer = 10
    /// The cost of a fault; a cancelled call costs 1. Correct clients have no faults.
    private static let perFault = 2
    /// Control frames that may wait for a peer that does not read.
    static let queueLimit = 1000

    /// The ratio up to which decompression is free. Text, and most other data, stays below it.
    private static let freeExpansion = 16

    private var overhead: TokenBucket
    private var resets: TokenBucket?
    private var decompressed: TokenBucket?

    /// - Parameters:
    ///   - overhead: frames without data (burst; refills by a tenth per second).
    ///   - resets: cancelled calls and faults (the same); nil: no limit.
    ///   - decompressionExcess: bytes to which compressed messages may be decompressed in excess of 16 times their own
    ///     size (the same); nil: no limit.
    init(overhead: Int, resets: Int?, decompressionExcess: Int? = nil, now: NIODeadline) {
        decompressed = decompressionExcess.map { TokenBucket(burst: $0, perSecond: $0 / 10, now: now) }
        self.overhead = TokenBucket(burst: overhead, perSecond: overhead / 10, now: now)
        self.resets = resets.map { TokenBucket(burst: $0, perSecond: $0 / 10, now: now) }
    }

    /// Counts frames that were received and sent.
    ///
    /// - Parameters:
    ///   - frames: the counts since the last call.
    ///   - queued: control frames that wait to be sent.
    /// - Returns: the reason to end the connection, if the peer is over its budget.
    mutating func excess(_ frames: FrameCounts, queued: Int, at now: NIODeadline) -> CloseReason? {
        overhead.give(frames.data + (frames.headerLists + frames.responses) * Self.perAnswer)
        guard overhead.take(frames.overhead, at: now) else { return .overhead }
        resets?.give(frames.ends)
        guard resets?.take(frames.resets + frames.faults * Self.perFault, at: now) != false else {
            return .resets
        }
        return queued > Self.queueLimit ? .unread : nil
    }

    /// Counts decompressed messages.
    ///
    /// - Parameters:
    ///   - count: their size after decompression, in bytes.
    ///   - wireCount: their size on the wire, in bytes.
    /// - Returns: the reason to end the connection, if the peer is over its budget.
    mutating func excess(decompressed count: Int, from wireCount: Int, at now: NIODeadline) -> CloseReason? {
        decompressed?.take(count - wireCount * Self.freeExpansion, at: now) == false ? .decompression : nil
    }
}
