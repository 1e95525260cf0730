/// What frames were good for: what a peer asks of us, and what it gets.
struct FrameCounts: Equatable {
    /// Received: DATA that carries something.
    var data = 0
    /// Received: frames that carry no data, whether they belong to a call or not.
    var overhead = 0
    /// Received: RST_STREAM.
    var resets = 0
    /// Received: header lists of calls, whole and good.
    var headerLists = 0
    /// Sent: HEADERS and DATA.
    var answers = 0
    /// Sent: END_STREAM.
    var ends = 0
    /// Sent: RST_STREAM for what broke a rule of HTTP/2 or a limit of ours. That a peer can have us reset one stream
    /// after the other is CVE-2025-8671.
    var faults = 0

    mutating func add(_ other: FrameCounts) {
        data += other.data
        overhead += other.overhead
        resets += other.resets
        headerLists += other.headerLists
        answers += other.answers
        ends += other.ends
        faults += other.faults
    }
}
