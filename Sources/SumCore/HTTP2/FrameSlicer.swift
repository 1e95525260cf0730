/// Finds the HTTP/2 frames in a byte stream that arrives in arbitrary pieces, counts them, and cuts the stream into
/// slices for nghttp2.
///
/// It makes up for four properties of nghttp2:
/// - nghttp2 1.52 counts a legal CONTINUATION frame several times if its 9-byte header arrives in pieces, and then
///   refuses it. So an incomplete header is held back here.
/// - nghttp2 responds to all its input before anybody can judge it. So frames that may need a response are passed on in
///   slices of a few; non-empty DATA that ends no stream is passed on in any amount.
/// - nghttp2 does not detect rule violations on a stream that it has forgotten (`StreamHistory`).
/// - nghttp2 refuses a client's GOAWAY that names one of the client's own streams, as grpc-go sends it. The field names
///   streams of the server, which begins none, so it means nothing, and is passed on as 0.
struct FrameSlicer {
    /// Frames per slice, not counting non-empty DATA that ends no stream.
    static let sliceLimit = 8
    /// Bytes of a frame header (RFC 9113 section 4.1).
    static let headerLength = 9

    /// Bytes to pass on before the next frame header.
    private var payloadLeft: Int
    /// The beginning of an incomplete frame header.
    private(set) var held: [UInt8] = []
    /// The length of a padded DATA frame of which only the header has arrived.
    private var undecided: Int?
    private(set) var headerBlock: HeaderBlockLength
    private var counts = FrameCounts()
    /// The history of the client's streams; nil on the client.
    private var history: StreamHistory?
    /// The stream of the last DATA frame, if it was open then, else 0.
    private var openStream: UInt32 = 0
    /// The streams on which DATA arrived after their end, until `takeLateData`.
    private(set) var lateData: [UInt32] = []
    /// The violation that ends the connection. The offending frame is not passed on.
    private(set) var streamFault: StreamHistory.Fault?
    /// How many of the next bytes are replaced by zeros.
    private(set) var zerosLeft = 0

    /// - Parameters:
    ///   - skipping: bytes before the first frame: 24 for a client's preface (RFC 9113 section 3.4).
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

    /// Completes the held header from the bytes that follow it.
    ///
    /// - Returns: how many bytes it took, and whether the header is now complete and may be passed on.
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

    /// Whether to pass on nothing more, because the connection must end.
    var mustStop: Bool { headerBlock.isTooLong || streamFault != nil }

    mutating func takeLateData() -> [UInt32] {
        defer { lateData = [] }
        return lateData
    }

    /// Records that `count` bytes were replaced by zeros and passed on.
    mutating func passZeros(_ count: Int) {
        zerosLeft -= count
        payloadLeft -= count
    }

    /// Drops the held header after the caller has passed it on.
    mutating func releaseHeader() {
        held.removeAll(keepingCapacity: true)
    }

    /// Walks the frames in `bytes`, which continue the bytes passed on so far.
    ///
    /// - Returns: how many bytes to pass on now; the rest belongs to the next slice. An incomplete frame header at the
    ///   end is held here instead, and a header block that is too long is not passed on.
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

    /// Counts a frame by its header.
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

    /// Checks a frame against the streams that its sender has ended.
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

    /// Counts a padded DATA frame once its first byte, the length of the padding, is known: it has data if there is
    /// more than that byte and the padding.
    private mutating func decide(_ bytes: RawSpan, at position: Int) {
        guard let length = undecided, position < bytes.byteCount else { return }
        undecided = nil
        if length > 1 + Int(bytes.byte(at: position)) { counts.data += 1 } else { counts.overhead += 1 }
    }
}
