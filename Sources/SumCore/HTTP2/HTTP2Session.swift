internal import CNghttp2
internal import NIOCore

/// One side of one HTTP/2 connection: bytes in, events out; intents in, bytes out.
///
/// Sans-I/O: it knows no socket, clock or thread. It belongs to whoever created it, and is not safe to use
/// from two threads. After any throw from `receive` or `send` the session must not be used again.
///
/// Why the unsafe code is sound: `session` is created in `init` and freed in `deinit` only, and every
/// callback gets this object through an unretained pointer, which it cannot outlive, since nghttp2 calls back
/// only from within `receive` and `send`.
@safe final class HTTP2Session {
    enum Role {
        case client, server
    }

    let role: Role
    let configuration: HTTP2Configuration
    let session: OpaquePointer

    /// What has happened since `takeEvents`.
    private var events: [HTTP2Event] = []
    /// The stream of the last event, if that is of data.
    private var lastDataStream: Int32?
    private var output = HTTP2Output()
    /// There is enough output when it has this many bytes.
    private var outputLimit = Int.max

    private var boundary: FrameSlicer
    /// The bytes nghttp2 is reading, so that a DATA event can be a slice of them.
    private var input = ByteBuffer()
    /// The header block being received.
    var headers = HeaderListBuilder()
    /// The last blocks that were good: of a request or response, and of what followed it.
    var (earlierHeaders, earlierTrailers) = (KnownBlock(), KnownBlock())
    /// The streams whose bodies are to be watched, which are few.
    var watches: [Int32: BodyWatch] = [:]
    /// The streams that we are about to reset, whose owner knows why.
    var refused: Set<Int32> = []
    /// The last frame that nghttp2 refused.
    var invalidFrame: (streamID: Int32, error: NGHTTP2Error)?
    /// The fields that are lent to nghttp2: of requests or responses.
    var loan = NameValueArray()
    /// The same for what follows responses.
    private var trailerLoan = NameValueArray()
    var bodies = StreamTable<any HTTP2Body>()
    /// The stream of the last frame of an answer (client).
    private var answeredStream: Int32 = 0
    /// Set with each HEADERS or DATA frame passed on for sending; whoever asks clears it.
    var hasSentHeadersOrData = false
    /// What has been sent; what came is counted by `boundary`.
    var counts = FrameCounts()

    init(role: Role, configuration: HTTP2Configuration = .init()) throws(NGHTTP2Error) {
        self.configuration = configuration
        self.role = role
        boundary = FrameSlicer(
            skipping: role == .server ? Int(NGHTTP2_CLIENT_MAGIC_LEN) : 0, ofClient: role == .server,
            headerBlock: HeaderBlockLength(
                limit: configuration.maxHeaderBlockSize, maxFrameSize: Int(configuration.maxFrameSize)))
        unsafe session = try Self.makeSession(role)
        unsafe nghttp2_session_set_user_data(session, Unmanaged.passUnretained(self).toOpaque())
        try submitSettings(role)
    }

    deinit {
        unsafe nghttp2_session_del(session)
    }

    /// nghttp2 ends the connection of a client that begins one stream too many, with all its calls. So it is told of no
    /// limit, which the connection keeps instead, and the frame that announces the limit is corrected on its way.
    private static let unlimitedStreams = UInt32(Int32.max)
    /// Where the value of the first setting stands, behind its number.
    private static let firstSetting = FrameSlicer.headerLength + 2

    private func submitSettings(_ role: Role) throws(NGHTTP2Error) {
        var entries = [
            (NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, UInt32(configuration.streamWindow)),
            (NGHTTP2_SETTINGS_MAX_FRAME_SIZE, configuration.maxFrameSize),
            (NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, UInt32(clamping: configuration.maxHeaderListSize)),
        ]
        switch role {
        case .client:
            entries.append((NGHTTP2_SETTINGS_ENABLE_PUSH, 0))
        case .server:
            entries.insert((NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, Self.unlimitedStreams), at: 0)
            entries.append((NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1))
        }
        let settings = entries.map { nghttp2_settings_entry(settings_id: Int32($0.0.rawValue), value: $0.1) }
        try NGHTTP2Error.check(unsafe nghttp2_submit_settings(session, 0, settings, settings.count))
        try NGHTTP2Error.check(
            unsafe nghttp2_session_set_local_window_size(session, 0, 0, configuration.connectionWindow))
        if role == .server {
            // One frame, the SETTINGS.
            _ = try send(limit: 1)
            output.replaceNumber(at: Self.firstSetting, with: configuration.maxConcurrentStreams)
        }
    }

    // MARK: Bytes

    /// Takes the next slice of `bytes`, which the peer sent; `takeEvents` and `takeCounts` then tell what it meant. To
    /// be called until there are no bytes left.
    func receive(sliceOf bytes: inout ByteBuffer) throws(NGHTTP2Error) {
        guard wantsRead, !boundary.mustStop else { return bytes.clear() }
        if !boundary.held.isEmpty {
            let (taken, isWhole) = boundary.completeHeader(from: bytes.readableBytesSpan)
            bytes.moveReaderIndex(forwardBy: taken)
            guard isWhole else { return }
            try feed(ByteBuffer(bytes: boundary.held))
            boundary.releaseHeader()
        }
        if boundary.zerosLeft > 0 {
            let count = min(boundary.zerosLeft, bytes.readableBytes)
            bytes.moveReaderIndex(forwardBy: count)
            try feed(ByteBuffer(repeating: 0, count: count))
            return boundary.passZeros(count)
        }
        let count = boundary.advance(over: bytes.readableBytesSpan)
        if count > 0, let slice = bytes.readSlice(length: count) { try feed(slice) }
        for streamID in boundary.takeLateData() {
            refuse(Int32(streamID), "DATA came after the end of its stream", code: .streamClosed)
        }
        if !boundary.held.isEmpty { bytes.clear() }
    }

    private func feed(_ bytes: ByteBuffer) throws(NGHTTP2Error) {
        input = bytes
        defer { input = ByteBuffer() }
        let result = unsafe bytes.withUnsafeReadableBytes {
            unsafe nghttp2_session_mem_recv(session, $0.baseAddress, $0.count)
        }
        try NGHTTP2Error.check(result)
    }

    /// Bytes that wait to be taken.
    var outputCount: Int { output.count }

    /// Makes output of what there is to send, until there are about `limit` bytes of it.
    ///
    /// - Returns: whether there may be more to send than fitted.
    func send(limit: Int) throws(NGHTTP2Error) -> Bool {
        outputLimit = limit
        while output.count < limit {
            var bytes: UnsafePointer<UInt8>?
            let count = try NGHTTP2Error.check(unsafe nghttp2_session_mem_send(session, &bytes))
            guard count > 0, let bytes = unsafe bytes else { return output.count >= limit }
            unsafe output.append(UnsafeRawBufferPointer(start: bytes, count: count))
        }
        return true
    }

    /// Hands over the output, piece by piece.
    func takeOutput(_ body: (ByteBuffer) -> Void) {
        for piece in output.earlier { body(piece) }
        if output.last.readableBytes > 0 { body(output.last) }
        output.clear()
    }

    /// Gives up memory that is only of use while there is much to send.
    func releaseMemory() {
        output.releaseMemory()
    }

    /// Hands over the events collected so far; `spent`, an array no longer needed, takes the next ones.
    func takeEvents(reusing spent: [HTTP2Event]) -> [HTTP2Event] {
        var taken = spent
        taken.removeAll(keepingCapacity: true)
        swap(&taken, &events)
        lastDataStream = nil
        return taken
    }

    var hasEvents: Bool { !events.isEmpty }

    /// Hands over what the frames have been counted as since the last time.
    func takeCounts() -> FrameCounts {
        defer { counts = FrameCounts() }
        counts.add(boundary.takeCounts())
        return counts
    }

    /// Whether the peer has begun a header block that was not passed on, since it is too long.
    var headerBlockIsTooLong: Bool { boundary.headerBlock.isTooLong }
    /// How the peer broke the order of streams; nothing was passed on after that.
    var streamFault: StreamHistory.Fault? { boundary.streamFault }
    /// Whether the peer has begun a header block and not ended it.
    var isInHeaderBlock: Bool { boundary.isInHeaderBlock }

    /// Whether the session still expects anything from the peer.
    var wantsRead: Bool { unsafe nghttp2_session_want_read(session) != 0 }
    /// Whether there is anything to send now.
    var wantsWrite: Bool { unsafe nghttp2_session_want_write(session) != 0 }
    /// Whether the connection has come to its end, as after GOAWAY with no streams left.
    var isFinished: Bool { !wantsRead && !wantsWrite }
    /// The longest header list that the peer takes (SETTINGS_MAX_HEADER_LIST_SIZE).
    var peerMaxHeaderListSize: UInt32 {
        unsafe nghttp2_session_get_remote_settings(session, NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE)
    }
    /// Frames waiting to be sent, DATA not counted.
    var queuedFrames: Int { unsafe nghttp2_session_get_outbound_queue_size(session) }
}

// MARK: What the callbacks report

extension HTTP2Session {
    func beginAnswer(_ streamID: Int32) {
        guard streamID != answeredStream else { return }
        answeredStream = streamID
        report(.answerBegun(streamID: streamID))
    }

    func beginHeaders(_ kind: HTTP2Event.HeadersKind) {
        headers = HeaderListBuilder(after: (kind == .following ? earlierTrailers : earlierHeaders).fields)
    }

    /// - Returns: false when the block exceeds a limit by far; nghttp2 then resets its stream, and tells no more of it.
    func addHeader(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) -> Bool {
        unsafe headers.add(
            name: name, value: value, maxSize: configuration.maxHeaderListSize,
            maxCount: configuration.maxHeaderFields)
    }

    func report(_ event: HTTP2Event) {
        if case .data(let streamID, _) = event { lastDataStream = streamID } else { lastDataStream = nil }
        events.append(event)
    }

    /// Reports body bytes: a slice of the input when they lie in it, as they do in nghttp2 1.52, else a copy.
    func reportData(_ bytes: UnsafeRawBufferPointer, on streamID: Int32) {
        if !watches.isEmpty, !passes(bytes.count, on: streamID) { return }
        if bytes.count <= Self.smallFrame, lastDataStream == streamID, unsafe addToLastData(bytes) { return }
        let offset = unsafe input.withUnsafeReadableBytes {
            unsafe bytes.baseAddress.unsafelyUnwrapped - $0.baseAddress.unsafelyUnwrapped
        }
        let slice =
            offset >= 0 && offset + bytes.count <= input.readableBytes
            ? input.getSlice(at: input.readerIndex + offset, length: bytes.count) : nil
        report(.data(streamID: streamID, bytes: unsafe slice ?? ByteBuffer(bytes: bytes)))
    }

    /// Bytes of a frame that are sooner copied than handed on by themselves.
    private static let smallFrame = 256
    /// Bytes that are gathered from small frames.
    private static let gatheringLimit = 64 << 10

    /// Adds the bytes of a frame to those of the frame before it, which was of the same stream.
    private func addToLastData(_ bytes: UnsafeRawBufferPointer) -> Bool {
        // Taken out, so that nobody else holds the bytes and they are added to in place.
        guard case .data(let streamID, var gathered)? = events.popLast() else { return false }
        let isAdded = gathered.readableBytes < Self.gatheringLimit
        if isAdded { unsafe gathered.writeBytes(bytes) }
        events.append(.data(streamID: streamID, bytes: gathered))
        return isAdded
    }

    func forget(_ streamID: Int32) {
        bodies.remove(streamID)
        if !watches.isEmpty { watches[streamID] = nil }
    }

    /// Lets go of the bodies, of which some may hold whoever owns the session, when nothing more is sent.
    func forgetBodies() {
        bodies.removeAll()
    }
}

// MARK: Outgoing DATA

extension HTTP2Session {
    /// How long the next DATA frame may be, but for the windows. For a long frame nghttp2 enlarges its buffer, and keeps
    /// it. So only what follows other output is long, and a server, which has many connections, sends no long frames.
    func maxFrameSize(ofPeer peer: UInt32) -> Int {
        let isLongBatch = role == .client && output.count >= HTTP2Output.defaultFrameSize
        return min(Int(peer), isLongBatch ? Int(configuration.maxFrameSize) : HTTP2Output.defaultFrameSize)
    }

    /// Lets a stream's body fill its next frame. `finishFrame` adds the header: nghttp2 calls the two in direct
    /// succession (NGHTTP2_DATA_FLAG_NO_COPY).
    ///
    /// - Returns: the bytes of the frame, or nil when the body has nothing to give now.
    func fillFrame(on streamID: Int32, maximum: Int) -> (count: Int, state: HTTP2BodyState)? {
        guard let body = bodies[streamID] else { return (0, .finished(trailers: [])) }
        return output.fillFrame(from: body, maximum: maximum)
    }

    /// - Returns: whether there is enough output for now.
    func finishFrame(header: UnsafePointer<UInt8>, payloadLength: Int) -> Bool {
        unsafe output.finishFrame(header: header, payloadLength: payloadLength)
        return output.count >= outputLimit
    }

    /// Trailers are submitted while their body's last frame is made, so that they cannot overtake it.
    func submitTrailers(_ fields: [HTTP2Field], on streamID: Int32) -> Bool {
        unsafe trailerLoan.lend(fields) { unsafe nghttp2_submit_trailer(session, streamID, $0, $1) } == 0
    }
}
