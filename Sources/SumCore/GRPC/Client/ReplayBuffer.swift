internal import NIOCore

/// Keeps what a call has sent for retries, until it exceeds a limit or is no longer needed.
struct ReplayBuffer {
    /// Bytes kept; the same as in grpc-go (`maxRetryRPCBufferSize`, 256 KiB).
    static let limit = 256 << 10

    /// What was sent; nil if it is not needed: nothing is resent any more, or the body can be sent again without this.
    private var sent: ByteBuffer?
    /// What the running attempt still has to resend; nil for nothing.
    private var left: ByteBuffer?
    /// Whether everything sent so far is still kept.
    private(set) var isWhole = true
    /// Whether more was sent than can be kept.
    private(set) var hasOverflowed = false

    init(keepsBytes: Bool = true) {
        sent = keepsBytes ? ByteBuffer() : nil
    }

    /// Whether new bytes can bypass the buffer: they are not kept, and nothing is left to resend before them.
    var isOver: Bool { !isWhole && left == nil }

    /// Rewinds to the beginning for the next attempt.
    ///
    /// - Returns: false if the beginning is no longer kept; then there must be no next attempt.
    mutating func rewind() -> Bool {
        guard isWhole else { return false }
        left = sent?.readableBytes == 0 ? nil : sent
        return true
    }

    /// Drops what was sent: there will be no more retries.
    mutating func drop() {
        isWhole = false
        sent = nil
    }

    /// Appends what must be resent, then what `next` produces.
    mutating func fill(
        _ frame: inout OutputRawSpan, _ next: (inout OutputRawSpan) -> HTTP2BodyState
    ) -> HTTP2BodyState {
        if var left {
            frame.append(moving: &left)
            self.left = left.readableBytes == 0 ? nil : left
            guard frame.freeCapacity > 0 else { return .open }
        }
        guard sent != nil else { return next(&frame) }
        let start = frame.byteCount
        let progress = next(&frame)
        keep(frame.bytes.extracting(droppingFirst: start))
        return progress
    }

    private mutating func keep(_ bytes: RawSpan) {
        guard (sent?.readableBytes ?? 0) + bytes.byteCount <= Self.limit else {
            hasOverflowed = true
            return drop()
        }
        if bytes.byteCount > 0 { sent?.writeBytes(bytes) }
    }
}
