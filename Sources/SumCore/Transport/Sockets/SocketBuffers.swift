internal import NIOCore

/// How much is read from and written to a socket at once.
enum SocketBuffers {
    /// Reads take as few bytes as arrive, up to a size that makes system calls rare.
    static var readAllocator: AdaptiveRecvByteBufferAllocator {
        AdaptiveRecvByteBufferAllocator(minimum: 2 << 10, initial: 2 << 10, maximum: 256 << 10)
    }

    /// Bytes that the kernel takes before it has sent them. More only wait there, out of the processor's cache and out
    /// of our control; how many are on their way is for TCP to decide.
    static let unsentLimit: SocketOptionValue = 256 << 10
}
