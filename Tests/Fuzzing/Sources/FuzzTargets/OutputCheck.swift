/// Follows what one of our connections sends: whole frames, none of a stream after its end.
struct OutputCheck {
    private var buffered: [UInt8] = []
    private var ended: Set<UInt32> = []

    /// - Parameter preface: what must come first.
    mutating func sent(_ bytes: some Sequence<UInt8>, skipping preface: [UInt8]? = nil) throws(Finding) {
        buffered += bytes
        if let preface {
            try require(buffered.starts(with: preface), "the connection does not begin with the preface")
            buffered.removeFirst(preface.count)
        }
        var start = 0
        while buffered.count - start >= 9 {
            let header = Array(buffered[start..<(start + 9)])
            let length = header[..<3].reduce(0) { $0 << 8 | Int($1) }
            guard buffered.count - start >= 9 + length else { break }
            try check(header, length)
            start += 9 + length
        }
        buffered.removeFirst(start)
    }

    private mutating func check(_ header: [UInt8], _ length: Int) throws(Finding) {
        let kind = WireFrame.Kind(rawValue: header[3])
        let stream = header[5...].reduce(0) { $0 << 8 | UInt32($1) }
        try require(kind.rawValue <= 9, "a frame of kind \(kind.rawValue) was sent")
        try require(length <= 64 << 10, "a frame of \(length) bytes was sent")
        let isContent = kind == .data || kind == .headers
        try require(!isContent || !ended.contains(stream), "more was sent on stream \(stream) after its end")
        if kind == .rstStream || (isContent && header[4] & 1 != 0) { ended.insert(stream) }
    }

    func finish() throws(Finding) {
        try require(buffered.isEmpty, "a piece of a frame was sent")
    }
}

/// What lives on a connection, and which promises were broken. One thread uses it.
final class Ledger: @unchecked Sendable {
    var live = 0
    private(set) var breach: String?

    func note(_ breach: String) {
        self.breach = self.breach ?? breach
    }

    func check(_ condition: Bool, _ claim: @autoclosure () -> String) {
        if !condition { note(claim()) }
    }

    /// - Throws: `Finding` for what was noted, and when something still lives.
    func settle() throws(Finding) {
        if let breach { throw Finding(description: breach) }
        try require(live == 0, "\(live) calls, or who waits for the connection, live on")
    }
}
