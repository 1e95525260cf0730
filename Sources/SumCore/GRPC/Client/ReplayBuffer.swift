internal import NIOCore

/// Keeps what a call has sent, for as long as it may have to be sent again and is not too much.
struct ReplayBuffer {
    /// Bytes kept, as by grpc-go (`maxRetryRPCBufferSize`, 256 KiB).
    static let limit = 256 << 10

    private var sent = ByteBuffer()
    /// What the attempt that runs has still to send again.
    private var left = ByteBuffer()
    /// Whether everything sent is still here.
    private(set) var isWhole = true
    /// Whether more was sent than is kept.
    private(set) var hasOverflowed = false

    /// Whether what comes next is neither kept nor has to wait for what is sent again.
    var isOver: Bool { !isWhole && left.readableBytes == 0 }

    /// The next attempt sends everything from the beginning.
    ///
    /// - Returns: false when the beginning is not kept any more: then there must be no next attempt.
    mutating func rewind() -> Bool {
        guard isWhole else { return false }
        left = sent
        return true
    }

    /// Nothing will have to be sent again.
    mutating func drop() {
        isWhole = false
        sent = ByteBuffer()
    }

    /// Appends what is to be sent again, and then what `next` has.
    mutating func fill(
        _ frame: inout OutputRawSpan, _ next: (inout OutputRawSpan) -> HTTP2BodyState
    ) -> HTTP2BodyState {
        if left.readableBytes > 0 {
            frame.append(moving: &left)
            guard frame.freeCapacity > 0 else { return .open }
        }
        let start = frame.byteCount
        let progress = next(&frame)
        if isWhole { keep(frame.bytes.extracting(droppingFirst: start)) }
        return progress
    }

    private mutating func keep(_ bytes: RawSpan) {
        guard sent.readableBytes + bytes.byteCount <= Self.limit else {
            hasOverflowed = true
            return drop()
        }
        if bytes.byteCount > 0 { sent.writeBytes(bytes) }
    }
}
