internal import NIOCore

/// The memory that the connections of one event loop read into. Use on that loop only.
///
/// SwiftNIO's own pool keeps a buffer for each connection, as long as its longest read. Here, connections borrow one from
/// their loop: a short one, or a long one while there is much to read. What a handler keeps of a read holds the whole
/// buffer, so a short read must not be in a long one.
final class ReceiveBuffers {
    /// The size of a connection's first buffer, in bytes. SwiftNIO keeps it, so it is as long as a client's preface and
    /// its first request, and no longer.
    fileprivate static let firstLength = 256
    /// The size of a short buffer in bytes. After a read that fills it, the next gets a long one.
    fileprivate static let shortLength = 2 << 10
    /// The size of a long buffer, which makes system calls rare.
    static let longLength = 256 << 10
    /// Buffers to keep of each size: one is being read into, and a handler may still have the previous one.
    private static let spareLimit = 2

    private var shortSpares: [ByteBuffer] = []
    private var longSpares: [ByteBuffer] = []

    fileprivate func takeShort() -> ByteBuffer { Self.take(&shortSpares, Self.shortLength) }

    fileprivate func takeLong() -> ByteBuffer { Self.take(&longSpares, Self.longLength) }

    private static func take(_ spares: inout [ByteBuffer], _ length: Int) -> ByteBuffer {
        guard var spare = spares.popLast() else { return ByteBufferAllocator().buffer(capacity: length) }
        // Allocates new memory if somebody still holds a slice.
        spare.clear()
        return spare
    }

    /// Takes back a buffer after its bytes have been handled. Ignores those that are not ours.
    func giveBack(_ buffer: ByteBuffer) {
        switch buffer.storageCapacity {
        case Self.longLength...: Self.giveBack(buffer, &longSpares)
        case Self.shortLength: Self.giveBack(buffer, &shortSpares)
        default: break
        }
    }

    private static func giveBack(_ buffer: ByteBuffer, _ spares: inout [ByteBuffer]) {
        if spares.count < spareLimit { spares.append(buffer) }
    }

    /// Returns an allocator for the `recvAllocator` option of a connection on `eventLoop`, the loop that owns this
    /// object.
    func allocator(on eventLoop: any EventLoop) -> some RecvByteBufferAllocator {
        LendingAllocator(buffers: NIOLoopBound(self, eventLoop: eventLoop))
    }
}

/// Chooses between a short buffer and a long one by the size of the last read.
///
/// Without a size hint, and with one message per read, SwiftNIO keeps the first buffer, and asks for another one for each
/// read if `record` says that the next one may be longer (`NIOPooledRecvBufferAllocator`).
private struct LendingAllocator: RecvByteBufferAllocator {
    let buffers: NIOLoopBound<ReceiveBuffers>
    private var hasRead = false
    private var usesLong = false

    init(buffers: NIOLoopBound<ReceiveBuffers>) {
        self.buffers = buffers
    }

    func buffer(allocator: ByteBufferAllocator) -> ByteBuffer {
        guard hasRead else { return allocator.buffer(capacity: ReceiveBuffers.firstLength) }
        return usesLong ? buffers.value.takeLong() : buffers.value.takeShort()
    }

    mutating func record(actualReadBytes count: Int) -> Bool {
        hasRead = true
        usesLong = count >= (usesLong ? ReceiveBuffers.shortLength / 2 : ReceiveBuffers.shortLength)
        return true
    }
}
