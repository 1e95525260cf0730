internal import CNghttp2
internal import NIOCore

/// One side of an HTTP/2 connection: bytes in, events out; intents in, bytes out.
///
/// Sans-I/O: it knows no socket, clock or thread. Not thread-safe. After `receive` or `send` has thrown, the session
/// must not be used any more.
///
/// The unsafe code is sound because `session` is created in `init` and freed only in `deinit`, and the callbacks get
/// this object through an unretained pointer only during `receive` and `send`, when it is alive.
///
/// Some properties have no check for overlapping accesses at run time. Those checks cost a call several thousand
/// instructions in all. Leaving them out is sound because a session is used by one thread at a time, and because each
/// access to these ends before anything else is called, nghttp2 included: they are read, assigned, or changed by members
/// of their own types, which call nobody.
@safe final class HTTP2Session {
    enum Role {
        case client, server
    }

    let role: Role
    let configuration: HTTP2Configuration
    let session: OpaquePointer

    /// The events that have not been taken.
    @safe @exclusivity(unchecked) private var events = EventQueue()
    /// The stream of the last event, if that is a data event to which bytes may be added.
    @safe @exclusivity(unchecked) private var lastDataStream: Int32?
    @safe @exclusivity(unchecked) var output = HTTP2Output()
    /// Bytes of output at which to stop producing more.
    @safe @exclusivity(unchecked) var outputLimit = Int.max

    @safe @exclusivity(unchecked) private var boundary: FrameSlicer
    /// The bytes that nghttp2 is parsing, so that a data event can be a slice of them, and where they are meanwhile.
    @safe @exclusivity(unchecked) private var input = ByteBuffer()
    @safe @exclusivity(unchecked) private var inputStart: UnsafeRawPointer?
    /// The header block that is arriving.
    @safe @exclusivity(unchecked) var headers = HeaderListBuilder()
    /// The last valid header lists: of a request or response, and of the block after it.
    @safe @exclusivity(unchecked) var earlierHeaders: KnownBlock?
    @safe @exclusivity(unchecked) var earlierTrailers: KnownBlock?
    /// The streams whose bodies must be checked. They are few.
    @safe @exclusivity(unchecked) var watches = StreamTable<BodyWatch>()
    /// The streams that are about to be reset, and whose reason has been reported.
    var refused: Set<Int32> = []
    /// The last frame that nghttp2 has rejected.
    var invalidFrame: (streamID: Int32, error: NGHTTP2Error)?
    /// What it shares with the other sessions of its event loop.
    let memory: SessionMemory
    /// The memory of `session`.
    private let blocks: SessionBlocks
    @safe @exclusivity(unchecked) var bodies = StreamTable<any HTTP2Body>()
    /// The stream of a frame that has begun, and of which nothing has been reported yet, or 0 (client).
    @safe @exclusivity(unchecked) private var begunStream: Int32 = 0
    /// Set when a HEADERS or DATA frame is written to the output; the reader clears it.
    @safe @exclusivity(unchecked) var hasSentHeadersOrData = false
    /// Whether all events since this was last set are of data.
    @safe @exclusivity(unchecked) var hasOnlyData = true
    /// Counts of frames sent; `boundary` counts those received.
    @safe @exclusivity(unchecked) var counts = FrameCounts()

    init(
        role: Role, configuration: HTTP2Configuration = .init(), memory: SessionMemory = SessionMemory()
    ) throws(NGHTTP2Error) {
        self.configuration = configuration
        self.memory = memory
        blocks = SessionBlocks(memory.blocks)
        self.role = role
        boundary = FrameSlicer(
            skipping: role == .server ? Int(NGHTTP2_CLIENT_MAGIC_LEN) : 0, ofClient: role == .server,
            headerBlock: HeaderBlockLength(
                limit: configuration.maxHeaderBlockSize, maxFrameSize: Int(configuration.maxFrameSize)))
        unsafe session = try Self.makeSession(role, blocks)
        unsafe nghttp2_session_set_user_data(session, Unmanaged.passUnretained(self).toOpaque())
        try submitSettings()
    }

    deinit {
        blocks.end()
        unsafe nghttp2_session_del(session)
        // Their buffers are freed to `blocks` too.
        (earlierHeaders, earlierTrailers, headers) = (nil, nil, HeaderListBuilder())
    }

    // MARK: Bytes

    /// Consumes the next slice of `bytes`, which the peer sent. Afterwards `takeEvents` and `takeCounts` tell what it
    /// contained. Call this until `bytes` is empty.
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
        let result = unsafe bytes.withUnsafeReadableBytes { bytes in
            inputStart = bytes.baseAddress
            defer { inputStart = nil }
            return unsafe nghttp2_session_mem_recv(session, bytes.baseAddress, bytes.count)
        }
        reportBegun()
        try NGHTTP2Error.check(result)
    }

    /// Bytes of output that have not been taken.
    var outputCount: Int { output.count }

    /// Produces output until there are about `limit` bytes, or nothing more to send.
    ///
    /// - Returns: whether there may be more to send.
    func send(limit: Int) throws(NGHTTP2Error) -> Bool {
        outputLimit = limit
        output.borrow(from: memory)
        while output.count < limit {
            var bytes: UnsafePointer<UInt8>?
            let count = try NGHTTP2Error.check(unsafe nghttp2_session_mem_send(session, &bytes))
            guard count > 0, let bytes = unsafe bytes else { return output.count >= limit }
            unsafe output.append(UnsafeRawBufferPointer(start: bytes, count: count))
        }
        return true
    }

    /// Passes the output to `body`, piece by piece, and empties it.
    func takeOutput(_ body: (ByteBuffer) -> Void) {
        for piece in output.earlier { body(piece) }
        if output.last.readableBytes > 0 { body(output.last) }
        output.clear()
    }

    /// Gives memory back that is needed only while there is something to do.
    func releaseMemory() {
        output.release(to: memory)
        memory.takeBack(&events)
    }

    /// Takes the next event; nil if there is none.
    func takeEvent() -> HTTP2Event? {
        lastDataStream = nil
        return events.popFirst()
    }

    var hasEvents: Bool { !events.isEmpty }

    /// Returns the counts of frames since the last call.
    func takeCounts() -> FrameCounts {
        defer { counts = FrameCounts() }
        counts.add(boundary.takeCounts())
        return counts
    }

    /// Whether the peer has begun a header block that is too long, and was not passed on.
    var headerBlockIsTooLong: Bool { boundary.headerBlock.isTooLong }
    /// How the peer has violated the states of streams, if it has. Nothing is passed on after that.
    var streamFault: StreamHistory.Fault? { boundary.streamFault }
    /// Whether the peer has begun a header block and not ended it.
    var isInHeaderBlock: Bool { boundary.isInHeaderBlock }

    /// Whether the session still expects anything from the peer.
    var wantsRead: Bool { unsafe nghttp2_session_want_read(session) != 0 }
    /// Whether there is anything to send now.
    var wantsWrite: Bool { unsafe nghttp2_session_want_write(session) != 0 }
    /// Whether the connection is over, for example after a GOAWAY when no streams are left.
    var isFinished: Bool { !wantsRead && !wantsWrite }
    /// Bytes of the largest header list that the peer accepts (SETTINGS_MAX_HEADER_LIST_SIZE).
    var peerMaxHeaderListSize: UInt32 {
        unsafe nghttp2_session_get_remote_settings(session, NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE)
    }
    /// Frames waiting to be sent, not counting DATA.
    var queuedFrames: Int { unsafe nghttp2_session_get_outbound_queue_size(session) }
}

// MARK: For the callbacks

extension HTTP2Session {
    /// A frame of a response has begun. It is reported before the next event, unless that event shows it.
    func beginResponse(_ streamID: Int32) {
        reportBegun()
        begunStream = streamID
    }

    private func reportBegun() {
        guard begunStream != 0 else { return }
        let streamID = begunStream
        begunStream = 0
        report(.responseBegun(streamID: streamID))
    }

    /// Something is about to be reported that shows that a frame has begun on a stream.
    func showBegun(_ streamID: Int32) {
        if begunStream == streamID { begunStream = 0 }
    }

    func beginHeaders(_ kind: HTTP2Event.HeadersKind) {
        headers.begin(after: kind == .following ? earlierTrailers : earlierHeaders)
    }

    /// Adds a field that is not repeated.
    ///
    /// - Returns: false if the block exceeds a limit by far. nghttp2 then resets the stream and reports no more of it.
    func addHeader(name: OpaquePointer, value: OpaquePointer) -> Bool {
        let (nameBytes, valueBytes) = unsafe (nghttp2_rcbuf_get_buf(name), nghttp2_rcbuf_get_buf(value))
        return unsafe headers.add(
            name: UnsafeBufferPointer(start: nameBytes.base, count: nameBytes.len),
            value: UnsafeBufferPointer(start: valueBytes.base, count: valueBytes.len),
            buffers: (name, value), maxSize: configuration.maxHeaderListSize,
            maxCount: configuration.maxHeaderFields)
    }

    /// The header block that has arrived, or is given up.
    func takeHeaders() -> HeaderListBuilder {
        var taken = HeaderListBuilder()
        swap(&taken, &headers)
        return taken
    }

    func report(_ event: consuming HTTP2Event) {
        reportBegun()
        if case .data(let streamID, _) = event {
            lastDataStream = streamID
        } else {
            lastDataStream = nil
            hasOnlyData = false
        }
        if events.capacity == 0 { memory.lend(&events) }
        events.append(event)
    }

    /// Reports bytes of a body: a slice of the input if they lie in it, as with nghttp2 1.52, else a copy.
    func reportData(_ bytes: UnsafeRawBufferPointer, on streamID: Int32) {
        if !watches.isEmpty, !passes(bytes.count, on: streamID) { return }
        showBegun(streamID)
        if bytes.count <= Self.smallFrame, lastDataStream == streamID, unsafe addToLastData(bytes) { return }
        report(.data(streamID: streamID, bytes: unsafe slice(bytes) ?? ByteBuffer(bytes: bytes)))
    }

    private func slice(_ bytes: UnsafeRawBufferPointer) -> ByteBuffer? {
        guard let inputStart, let start = bytes.baseAddress else { return nil }
        let offset = unsafe start - inputStart
        guard offset >= 0, offset + bytes.count <= input.readableBytes else { return nil }
        return input.getSlice(at: input.readerIndex + offset, length: bytes.count)
    }

    /// Bytes up to which a frame is copied to the previous one, which costs less than an event of its own.
    private static let smallFrame = 256
    /// Bytes at which to stop gathering small frames.
    private static let gatheringLimit = 64 << 10

    /// Appends the bytes of a frame to the last event, which is of the same stream.
    private func addToLastData(_ bytes: UnsafeRawBufferPointer) -> Bool {
        // Removed from the list first, so that the buffer is uniquely referenced and grows in place.
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

    /// Releases the bodies once nothing more is sent: some of them may retain the owner of the session.
    func forgetBodies() {
        bodies.removeAll()
    }
}
