internal import NIOCore

/// The sizes of socket reads and writes on the client.
enum SocketBuffers {
    /// Receive buffers that adapt to what arrives, up to a size that makes system calls rare.
    static var readAllocator: AdaptiveRecvByteBufferAllocator {
        AdaptiveRecvByteBufferAllocator(minimum: 2 << 10, initial: 2 << 10, maximum: 256 << 10)
    }

    /// Bytes that the kernel accepts without having sent them (TCP_NOTSENT_LOWAT). More would only wait there, outside
    /// the processor's cache and our control. It does not limit what is in flight, which TCP decides.
    static let unsentLimit: SocketOptionValue = 256 << 10
}
