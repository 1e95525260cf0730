/// Finds where HTTP/2 frames begin in a byte stream that arrives in arbitrary pieces, and cuts it into slices.
///
/// - nghttp2 1.52 counts one legal CONTINUATION frame several times when its 9-byte header arrives in pieces,
///   and then refuses it. So a header that is not whole yet is held back here.
/// - nghttp2 answers all it is given before anything can be judged. So what may ask for answers is passed on in
///   slices of a few frames, and counted; DATA that carries something, and ends no stream, is passed on however much
///   there is.
/// - nghttp2 does not see what breaks a rule on a stream that it has forgotten (`StreamHistory`).
/// - nghttp2 refuses a GOAWAY of a client's that names a stream of its own, as grpc-go's do. A server begins no streams,
///   so that number means nothing, and is passed on as 0.
struct FrameSlicer {
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
    private var counts = FrameCounts()
    /// Of a client's streams; nil on its own side.
    private var history: StreamHistory?
    /// The stream of the last DATA frame, if it was still open then.
    private var openStream: UInt32 = 0
    /// The streams on which DATA came after their end, until they are taken.
    private(set) var lateData: [UInt32] = []
    /// What ends the connection; its frame is not passed on.
    private(set) var streamFault: StreamHistory.Fault?
    /// Bytes that come next and are passed on as zeros.
    private(set) var zerosLeft = 0

    /// - Parameters:
    ///   - skipping: the bytes before the first frame: 24 for a client's preface (RFC 9113 section 3.4).
    ///   - ofClient: whether a client sends the stream.
    init(
        skipping: Int, ofClient: Bool = false,
        headerBlock: HeaderBlockLength = .init(limit: .max, maxFrameSize: .max)
    ) {
        payloadLeft = skipping
        history = ofClient ? StreamHistory() : nil
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
        return (taken, !mustStop)
    }

    /// Whether nothing more is passed on, since the connection is to end.
    var mustStop: Bool { headerBlock.isTooLong || streamFault != nil }

    mutating func takeLateData() -> [UInt32] {
        defer { lateData = [] }
        return lateData
    }

    /// Takes note of `count` bytes passed on as zeros.
    mutating func passZeros(_ count: Int) {
        zerosLeft -= count
        payloadLeft -= count
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
        defer { counts.data += dataFrames }
        while true {
            let skipped = min(payloadLeft, bytes.byteCount - position)
            position += skipped
            payloadLeft -= skipped
            guard payloadLeft == 0, otherFrames < Self.sliceLimit, zerosLeft == 0 else { return position }
            guard bytes.byteCount - position >= Self.headerLength else { break }
            let header = FrameHeader(bytes, at: position)
            payloadLeft = header.length
            position += Self.headerLength
            if header.carriesData {
                dataFrames += 1
                if header.streamID != openStream || header.endsStream {
                    note(header)
                    if header.endsStream || !lateData.isEmpty { otherFrames += 1 }
                }
                continue
            }
            count(header)
            if mustStop { return position - Self.headerLength }
            if zerosLeft > 0 { return position }
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

    mutating func takeCounts() -> FrameCounts {
        defer { counts = FrameCounts() }
        return counts
    }

    /// Counts a frame.
    private mutating func count(_ header: FrameHeader) {
        note(header)
        switch header.kind {
        case .data where header.length > 0:
            if header.isPadded { undecided = header.length } else { counts.data += 1 }
        case .rstStream:
            counts.resets += 1
        case .headers, .continuation, .pushPromise:
            counts.overhead += 1
            headerBlock.add(header)
        case .data, .priority, .goAway, .other:
            counts.overhead += 1
        }
    }

    /// Holds a frame against what its sender has ended before.
    private mutating func note(_ header: FrameHeader) {
        guard history != nil else { return openStream = header.streamID }
        switch header.kind {
        case .data:
            let isOpen =
                history?.receivedData(on: header.streamID, endStream: header.endsStream) == true
            openStream = isOpen && !header.endsStream ? header.streamID : 0
            if !isOpen { lateData.append(header.streamID) }
        case .headers:
            openStream = 0
            streamFault = history?.receivedHeaders(on: header.streamID, endStream: header.endsStream)
        case .rstStream:
            openStream = 0
            history?.receivedReset(of: header.streamID)
        case .priority where header.streamID == 0:
            streamFault = .priorityWithoutStream
        case .goAway where header.length >= 8:
            zerosLeft = 4
        case .priority, .goAway, .pushPromise, .continuation, .other:
            break
        }
    }

    /// A padded frame begins with the length of its padding, and carries something if it is longer than both.
    private mutating func decide(_ bytes: RawSpan, at position: Int) {
        guard let length = undecided, position < bytes.byteCount else { return }
        undecided = nil
        if length > 1 + Int(bytes.byte(at: position)) { counts.data += 1 } else { counts.overhead += 1 }
    }
}
