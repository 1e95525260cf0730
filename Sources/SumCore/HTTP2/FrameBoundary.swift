/// Finds where HTTP/2 frames begin in a byte stream that arrives in arbitrary pieces, and cuts it into slices.
///
/// - nghttp2 1.52 counts one legal CONTINUATION frame several times when its 9-byte header arrives in pieces,
///   and then refuses it. So a header that is not whole yet is held back here.
/// - nghttp2 answers all it is given before anything can be judged. So what may ask for answers is passed on in
///   slices of a few frames, and counted; DATA that carries something, and ends no stream, is passed on however much
///   there is.
struct FrameBoundary {
    /// Frames in a slice besides DATA that carries something and ends no stream.
    static let sliceLimit = 8
    /// Bytes of a frame header (RFC 9113 section 4.1).
    static let headerLength = 9

    /// Bytes to pass through before the next frame header.
    private var payloadLeft: Int
    /// The beginning of a frame header whose end has not arrived.
    private(set) var held: [UInt8] = []
    /// The length of a padded DATA frame of which nothing has come but its header.
    private var undecided: Int?
    private(set) var headerBlock: HeaderBlockLength
    private var tally = FrameTally()

    /// - Parameter skipping: the bytes before the first frame: 24 for a client's preface (RFC 9113 section 3.4).
    init(skipping: Int, headerBlock: HeaderBlockLength = .init(limit: .max, maxFrameSize: .max)) {
        payloadLeft = skipping
        self.headerBlock = headerBlock
        held.reserveCapacity(Self.headerLength)
    }

    /// Completes the held header with the bytes that follow it.
    ///
    /// - Returns: how many bytes of `bytes` it took, and whether the header is whole now.
    mutating func completeHeader(from bytes: RawSpan) -> (taken: Int, isWhole: Bool) {
        let taken = min(Self.headerLength - held.count, bytes.byteCount)
        for index in 0..<taken {
            held.append(bytes.byte(at: index))
        }
        guard held.count == Self.headerLength else { return (taken, false) }
        let header = unsafe FrameHeader(held.span.bytes, at: 0)
        count(header)
        payloadLeft = header.length
        return (taken, !headerBlock.isTooLong)
    }

    /// Forgets the held header, which the caller has passed on.
    mutating func releaseHeader() {
        held.removeAll(keepingCapacity: true)
    }

    /// Walks the frames in `bytes`, which follow what was passed on so far.
    ///
    /// - Returns: how many bytes to pass on now. What follows is the next slice; but a piece of a frame header at the
    ///   end is held here, and a header block that is too long is not passed on.
    mutating func advance(over bytes: RawSpan) -> Int {
        decide(bytes, at: 0)
        headerBlock.pass(payload: payloadLeft, of: bytes.byteCount)
        var (position, dataFrames, otherFrames) = (0, 0, 0)
        defer { tally.data += dataFrames }
        while true {
            let skipped = min(payloadLeft, bytes.byteCount - position)
            position += skipped
            payloadLeft -= skipped
            guard payloadLeft == 0, otherFrames < Self.sliceLimit else { return position }
            guard bytes.byteCount - position >= Self.headerLength else { break }
            let header = FrameHeader(bytes, at: position)
            payloadLeft = header.length
            position += Self.headerLength
            if header.carriesData {
                dataFrames += 1
                if header.endsStream { otherFrames += 1 }
                continue
            }
            count(header)
            if headerBlock.isTooLong { return position - Self.headerLength }
            decide(bytes, at: position)
            headerBlock.pass(payload: payloadLeft, of: bytes.byteCount - position)
            otherFrames += 1
        }
        for index in position..<bytes.byteCount {
            held.append(bytes.byte(at: index))
        }
        return position
    }

    /// Whether a header block has begun and not ended.
    var isInHeaderBlock: Bool { headerBlock.isOpen }

    mutating func takeTally() -> FrameTally {
        defer { tally = FrameTally() }
        return tally
    }

    /// Counts a frame.
    private mutating func count(_ header: FrameHeader) {
        switch header.kind {
        case .data where header.length > 0:
            if header.isPadded { undecided = header.length } else { tally.data += 1 }
        case .rstStream:
            tally.resets += 1
        case .headers, .continuation, .pushPromise:
            tally.overhead += 1
            headerBlock.add(header)
        case .data, .other:
            tally.overhead += 1
        }
    }

    /// A padded frame begins with the length of its padding, and carries something if it is longer than both.
    private mutating func decide(_ bytes: RawSpan, at position: Int) {
        guard let length = undecided, position < bytes.byteCount else { return }
        undecided = nil
        if length > 1 + Int(bytes.byte(at: position)) { tally.data += 1 } else { tally.overhead += 1 }
    }
}

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

extension RawSpan {
    /// The byte at `index`, bounds checked.
    func byte(at index: Int) -> UInt8 {
        unsafe unsafeLoad(fromByteOffset: index, as: UInt8.self)
    }
}
