/// Counts of frames received and sent, by what they cost us. Others call frames that make no progress "glitches".
struct FrameCounts: Equatable {
    /// Received: non-empty DATA frames.
    var data = 0
    /// Received: frames without data, whether or not they belong to a call, except RST_STREAM.
    var overhead = 0
    /// Received: RST_STREAM.
    var resets = 0
    /// Received: complete, valid header lists.
    var headerLists = 0
    /// Sent: HEADERS and DATA frames.
    var responses = 0
    /// Sent: frames with END_STREAM.
    var ends = 0
    /// Faults of the peer: streams that we reset because they broke a rule of HTTP/2 or one of our limits, header lists
    /// over the limit, and calls in excess of a limit that the peer has acknowledged. A peer that makes us reset one
    /// stream after another is CVE-2025-8671.
    var faults = 0

    mutating func add(_ other: FrameCounts) {
        data += other.data
        overhead += other.overhead
        resets += other.resets
        headerLists += other.headerLists
        responses += other.responses
        ends += other.ends
        faults += other.faults
    }
}
