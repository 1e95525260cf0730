internal import NIOCore

/// The memory that the connections of one event loop read into. Belongs to the loop.
///
/// SwiftNIO's own pool keeps a buffer for each connection, as long as its longest read. Here a connection has a short one
/// of its own, and borrows a long one from its loop while there is much to read.
final class ReceiveBuffers {
    /// A read that takes as many bytes as this is worth a long buffer the next time.
    fileprivate static let shortLength = 2 << 10
    /// Long enough to make system calls rare.
    private static let longLength = 256 << 10
    /// Long buffers that are kept: one is being read into, and a handler may still have the one before.
    private static let spareLimit = 2

    private var spares: [ByteBuffer] = []

    fileprivate func takeLong() -> ByteBuffer {
        guard var spare = spares.popLast() else {
            return ByteBufferAllocator().buffer(capacity: Self.longLength)
        }
        // Makes new memory if somebody still holds a slice.
        spare.clear()
        return spare
    }

    /// Takes back a buffer that has been read into, once it has been looked at. Short ones are not ours, and ignored.
    func giveBack(_ buffer: ByteBuffer) {
        guard buffer.storageCapacity >= Self.longLength, spares.count < Self.spareLimit else { return }
        spares.append(buffer)
    }

    /// For the option `recvAllocator` of a connection on `eventLoop`, which is this one's.
    func allocator(on eventLoop: any EventLoop) -> some RecvByteBufferAllocator {
        LendingAllocator(buffers: NIOLoopBound(self, eventLoop: eventLoop))
    }
}

/// Chooses between the short buffer and a long one by what the last read gave.
///
/// Without a size hint, and with one message a read, SwiftNIO keeps the first buffer, and reuses it unless `record` says
/// that the next one may be longer (`NIOPooledRecvBufferAllocator`).
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
