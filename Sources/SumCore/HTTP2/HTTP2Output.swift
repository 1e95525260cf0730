internal import NIOCore

/// The bytes that a session has for its peer: small ones gathered, long pieces of bodies in the memory they came in.
struct HTTP2Output {
    /// Long pieces, and what goes between them.
    private(set) var earlier: [ByteBuffer] = []
    private var earlierCount = 0
    /// What goes after these.
    private(set) var last = ByteBuffer()
    /// What a body has handed over for the frame that is being made.
    private var piece: ByteBuffer?

    /// Bytes that HTTP/2 lets every frame have (RFC 9113 section 4.2); fewer are not asked for in one piece.
    static let defaultFrameSize = 16 << 10
    /// Room for a body that may need no more, such as that of a short answer.
    private static let smallestRoom = 1 << 10

    var count: Int { earlierCount + last.readableBytes }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        unsafe last.writeBytes(bytes)
    }

    /// Puts another number in the place of one, before there are any long pieces.
    mutating func replaceNumber(at position: Int, with number: UInt32) {
        last.setInteger(number, at: last.readerIndex + position)
    }

    /// Keeps some of the memory for what comes next.
    mutating func clear() {
        earlier.removeAll(keepingCapacity: true)
        earlierCount = 0
        last.clear()
    }

    /// Memory that is kept when there is nothing to send.
    private static let keptCapacity = 8 << 10

    /// Gives up memory, unless there are bytes in it.
    mutating func releaseMemory() {
        guard count == 0, last.capacity > Self.keptCapacity else { return }
        (last, earlier) = (ByteBuffer(), [])
    }

    /// Lets a body write the payload of a DATA frame, leaving room for the frame header, or hand over a long piece for
    /// it. `finishFrame` is to follow.
    ///
    /// - Returns: the bytes written, or nil when the body has nothing to give now.
    mutating func fillFrame(from body: any HTTP2Body, maximum: Int) -> (count: Int, state: HTTP2BodyState)? {
        piece = nil
        if maximum >= Self.defaultFrameSize, let (bytes, state) = body.takeLongPiece(maximum: maximum) {
            piece = bytes
            return (bytes.readableBytes, state)
        }
        let length = min(maximum, max(Self.smallestRoom, last.writableBytes - FrameSlicer.headerLength))
        last.reserveCapacity(minimumWritableBytes: FrameSlicer.headerLength + length)
        let (count, state) = unsafe last.withUnsafeMutableWritableBytes { writable in
            let room = unsafe UnsafeMutableRawBufferPointer(
                rebasing: writable[FrameSlicer.headerLength..<(FrameSlicer.headerLength + length)])
            var frame = unsafe OutputRawSpan(buffer: room, initializedCount: 0)
            let state = body.fill(&frame)
            return (unsafe frame.finalize(for: room), state)
        }
        if count == 0, state == .open { return nil }
        return (count, state)
    }

    /// Adds the frame whose payload was written or handed over last.
    mutating func finishFrame(header: UnsafePointer<UInt8>, payloadLength: Int) {
        unsafe last.writeBytes(UnsafeRawBufferPointer(start: header, count: FrameSlicer.headerLength))
        guard let piece = piece.take() else { return last.moveWriterIndex(forwardBy: payloadLength) }
        earlier += [last, piece]
        earlierCount += last.readableBytes + piece.readableBytes
        last = ByteBuffer()
    }
}
