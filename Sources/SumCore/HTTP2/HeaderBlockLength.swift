/// Measures a header block on the wire, over all its frames.
///
/// nghttp2 decodes the rest of a block even after it has reset its stream, because later blocks may refer to it, and
/// one byte on the wire can become 4 KiB ("HPACK bomb"). So a block is measured before it is passed on.
struct HeaderBlockLength {
    /// Bytes of the longest block accepted.
    let limit: Int
    /// Bytes of the largest frame. nghttp2 itself rejects larger ones.
    let maxFrameSize: Int

    private var length = 0
    private var state = State.ended
    private(set) var isTooLong = false

    private enum State {
        case ended
        /// More frames follow.
        case open
        /// The payload of the last frame follows.
        case ending
    }

    init(limit: Int, maxFrameSize: Int) {
        self.limit = limit
        self.maxFrameSize = maxFrameSize
    }

    /// Whether a block has begun and not ended.
    var isOpen: Bool { state != .ended }

    /// Adds a frame of the block, whose header has arrived.
    mutating func add(_ header: FrameHeader) {
        length = header.kind == .continuation ? length + header.length : header.length
        state = header.endsHeaders ? .ending : .open
        isTooLong = length > limit && header.length <= maxFrameSize
    }

    /// Records that `count` bytes have arrived, of which the current frame's payload needs `payload`.
    mutating func pass(payload: Int, of count: Int) {
        if state == .ending, count >= payload { state = .ended }
    }
}
