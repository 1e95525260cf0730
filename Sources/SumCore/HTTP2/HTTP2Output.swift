internal import NIOCore

/// The output of a session. Small pieces are gathered in one buffer; long pieces of bodies stay in the memory they came
/// in.
struct HTTP2Output {
    /// Long pieces, and the gathered bytes between them.
    private(set) var earlier: [ByteBuffer] = []
    private var earlierCount = 0
    /// The gathered bytes after `earlier`.
    private(set) var last = ByteBuffer()
    /// The long piece that a body has handed over for the frame under construction.
    private var piece: ByteBuffer?

    /// The frame size that every peer accepts (RFC 9113 section 4.2). For smaller frames, bodies are not asked for a
    /// long piece.
    static let defaultFrameSize = 16 << 10
    /// Bytes of room offered to a body at least, enough for a short response.
    private static let smallestRoom = 1 << 10

    var count: Int { earlierCount + last.readableBytes }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        unsafe last.writeBytes(bytes)
    }

    /// Overwrites a number in the output, before there are any long pieces.
    mutating func replaceNumber(at position: Int, with number: UInt32) {
        last.setInteger(number, at: last.readerIndex + position)
    }

    /// Empties the output and keeps its memory.
    mutating func clear() {
        earlier.removeAll(keepingCapacity: true)
        earlierCount = 0
        last.clear()
    }

    /// Takes a buffer from `memory` if there is none.
    mutating func borrow(from memory: SessionMemory) {
        if last.capacity == 0 { last = memory.takeOutput() }
    }

    /// Gives its memory back if the output is empty.
    mutating func release(to memory: SessionMemory) {
        guard count == 0, last.capacity > 0 else { return }
        memory.giveBack(last)
        (last, earlier) = (ByteBuffer(), [])
    }

    /// Takes a long piece as the payload of the next DATA frame. `finishFrame` must follow.
    mutating func setPayload(_ piece: ByteBuffer) {
        self.piece = piece
    }

    /// Hands over the buffer of the next DATA frame, for `fill`. `putBack` must follow.
    mutating func takeBuffer() -> ByteBuffer {
        piece = nil
        var buffer = ByteBuffer()
        swap(&buffer, &last)
        return buffer
    }

    mutating func putBack(_ buffer: ByteBuffer) {
        last = buffer
    }

    /// Lets a body write the payload of a DATA frame after a gap for the frame header.
    ///
    /// - Returns: the payload length, or nil if the body has nothing to send now.
    static func fill(
        _ buffer: inout ByteBuffer, from body: any HTTP2Body, maximum: Int
    ) -> (count: Int, state: HTTP2BodyState)? {
        let length = min(maximum, max(smallestRoom, buffer.writableBytes - FrameSlicer.headerLength))
        buffer.reserveCapacity(minimumWritableBytes: FrameSlicer.headerLength + length)
        let (count, state) = unsafe buffer.withUnsafeMutableWritableBytes { writable in
            let room = unsafe UnsafeMutableRawBufferPointer(
                rebasing: writable[FrameSlicer.headerLength..<(FrameSlicer.headerLength + length)])
            var frame = unsafe OutputRawSpan(buffer: room, initializedCount: 0)
            let state = body.fill(&frame)
            return (unsafe frame.finalize(for: room), state)
        }
        if count == 0, state == .open { return nil }
        return (count, state)
    }

    /// Completes the frame whose payload has been set or filled.
    mutating func finishFrame(header: UnsafePointer<UInt8>, payloadLength: Int) {
        unsafe last.writeBytes(UnsafeRawBufferPointer(start: header, count: FrameSlicer.headerLength))
        guard let piece = piece.take() else { return last.moveWriterIndex(forwardBy: payloadLength) }
        earlier += [last, piece]
        earlierCount += last.readableBytes + piece.readableBytes
        last = ByteBuffer()
    }
}
