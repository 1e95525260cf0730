internal import NIOCore

/// The memory that the connections of one event loop read into. Use on that loop only.
///
/// SwiftNIO's own pool keeps a buffer for each connection, as long as its longest read. Here, each connection has a
/// short buffer, and borrows a long one from its loop while there is much to read.
final class ReceiveBuffers {
    /// The size of a read, in bytes, after which the next read gets a long buffer.
    fileprivate static let shortLength = 2 << 10
    /// The size of a long buffer.
    private let longLength: Int
    /// Long buffers to keep: one is being read into, and a handler may still have the previous one.
    private static let spareLimit = 2

    private var spares: [ByteBuffer] = []

    /// - Parameter longLength: the size of a long buffer. By default, it makes system calls rare.
    init(longLength: Int = 256 << 10) {
        self.longLength = longLength
    }

    fileprivate func takeLong() -> ByteBuffer {
        guard var spare = spares.popLast() else {
            return ByteBufferAllocator().buffer(capacity: longLength)
        }
        // Allocates new memory if somebody still holds a slice.
        spare.clear()
        return spare
    }

    /// Takes back a buffer after its bytes have been handled. Ignores short buffers, which are not ours.
    func giveBack(_ buffer: ByteBuffer) {
        guard buffer.storageCapacity >= longLength, spares.count < Self.spareLimit else { return }
        spares.append(buffer)
    }

    /// Returns an allocator for the `recvAllocator` option of a connection on `eventLoop`, the loop that owns this
    /// object.
    func allocator(on eventLoop: any EventLoop) -> some RecvByteBufferAllocator {
        LendingAllocator(buffers: NIOLoopBound(self, eventLoop: eventLoop))
    }
}

/// Chooses between the short buffer and a long one by the size of the last read.
///
/// Without a size hint, and with one message per read, SwiftNIO keeps the first buffer and reuses it unless `record`
/// says that the next one may be longer (`NIOPooledRecvBufferAllocator`).
private struct LendingAllocator: RecvByteBufferAllocator {
    let buffers: NIOLoopBound<ReceiveBuffers>
    private var usesLong = false

    init(buffers: NIOLoopBound<ReceiveBuffers>) {
        self.buffers = buffers
    }

    func buffer(allocator: ByteBufferAllocator) -> ByteBuffer {
        usesLong ? buffers.value.takeLong() : allocator.buffer(capacity: ReceiveBuffers.shortLength)
    }

    mutating func record(actualReadBytes count: Int) -> Bool {
        usesLong = count >= (usesLong ? ReceiveBuffers.shortLength / 2 : ReceiveBuffers.shortLength)
        return usesLong
    }
}
