internal import NIOCore

/// How much a peer may send that brings neither of us on.
///
/// Each kind has a bucket, which fills with time, and with what does bring us on: a client whose calls end may give up
/// as many, and data, calls and answers make up for frames that carry no data. So no rate of honest work is ever too
/// high, and by a flood a peer does not get more out of us than by honest work.
struct FrameBudget {
    /// Frames without data that a header list or a frame of ours makes up for: DATA is answered by WINDOW_UPDATE
    /// and PING, and a header list has up to nine frames.
    private static let perAnswer = 10
    /// What a fault costs, where a call that is given up costs one. Good clients have no faults.
    private static let perFault = 2
    /// Frames that may wait to be sent to a peer that does not read.
    static let queueLimit = 1000

    /// Bytes that each byte of compressed messages may be decompressed to, for free. Text and most data have fewer.
    private static let freeExpansion = 16

    private var overhead: TokenBucket
    private var resets: TokenBucket?
    private var decompressed: TokenBucket?

    /// - Parameters:
    ///   - overhead: frames without data: as many at once, and a tenth of it a second.
    ///   - resets: the same; nil: the peer may reset whatever it likes.
    ///   - decompressionExcess: bytes that compressed messages may be decompressed to beyond 16 times their own: the same;
    ///     nil: without a limit.
    init(overhead: Int, resets: Int?, decompressionExcess: Int? = nil, now: NIODeadline) {
        decompressed = decompressionExcess.map { TokenBucket(burst: $0, perSecond: $0 / 10, now: now) }
        self.overhead = TokenBucket(burst: overhead, perSecond: overhead / 10, now: now)
        self.resets = resets.map { TokenBucket(burst: $0, perSecond: $0 / 10, now: now) }
    }

    /// Counts what has come and gone.
    ///
    /// - Parameter queued: frames besides DATA that wait to be sent.
    mutating func excess(_ frames: FrameCounts, queued: Int, at now: NIODeadline) -> CloseReason? {
        overhead.give(frames.data + (frames.headerLists + frames.answers) * Self.perAnswer)
        guard overhead.take(frames.overhead, at: now) else { return .overhead }
        resets?.give(frames.ends)
        guard resets?.take(frames.resets + frames.faults * Self.perFault, at: now) != false else {
            return .resets
        }
        return queued > Self.queueLimit ? .unread : nil
    }

    /// Counts messages that were decompressed.
    ///
    /// - Parameters:
    ///   - count: bytes that came out of them.
    ///   - wireCount: bytes that the peer sent for them.
    mutating func excess(decompressed count: Int, from wireCount: Int, at now: NIODeadline) -> CloseReason? {
        decompressed?.take(count - wireCount * Self.freeExpansion, at: now) == false ? .decompression : nil
    }
}
