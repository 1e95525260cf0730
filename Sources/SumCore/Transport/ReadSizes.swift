internal import NIOCore

/// Bytes read from a socket at once: as few as arrive, up to a size that makes system calls rare.
enum ReadSizes {
    static var allocator: AdaptiveRecvByteBufferAllocator {
        AdaptiveRecvByteBufferAllocator(minimum: 2 << 10, initial: 2 << 10, maximum: 256 << 10)
    }
}
