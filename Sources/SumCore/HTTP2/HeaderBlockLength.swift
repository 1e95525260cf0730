/// How long a header block is on the wire, in all its frames.
///
/// nghttp2 decodes a block whose stream it has reset to its end, since the next one may refer to it, and what takes
/// a byte on the wire may be 4 KiB then ("HPACK bomb"). So a block is measured before it is passed on.
struct HeaderBlockLength {
    /// Bytes of the longest block.
    let limit: Int
    /// What is longer than this is an error that nghttp2 finds by itself.
    let maxFrameSize: Int

    private var length = 0
    private var state = State.ended
    private(set) var isTooLong = false

    private enum State {
        case ended
        /// More frames are to come.
        case open
        /// The payload of the last frame is to come.
        case ending
    }

    init(limit: Int, maxFrameSize: Int) {
        self.limit = limit
        self.maxFrameSize = maxFrameSize
    }

    /// Whether a block has begun and not ended.
    var isOpen: Bool { state != .ended }

    /// The header of a frame of the block has come.
    mutating func add(_ header: FrameHeader) {
        length = header.kind == .continuation ? length + header.length : header.length
        state = header.endsHeaders ? .ending : .open
        isTooLong = length > limit && header.length <= maxFrameSize
    }

    /// Bytes have come after the last frame's header.
    mutating func pass(payload: Int, of count: Int) {
        if state == .ending, count >= payload { state = .ended }
    }
}
