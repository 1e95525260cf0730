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

extension NIOBSDSocket.Option {
    /// Linux's TCP_USER_TIMEOUT: how long what was sent may go without an acknowledgement, in milliseconds.
    static let tcp_user_timeout = NIOBSDSocket.Option(rawValue: 18)
    /// Linux's TCP_NOTSENT_LOWAT, in bytes.
    static let tcp_notsent_lowat = NIOBSDSocket.Option(rawValue: 25)
}

extension TimeAmount {
    /// The kernel takes an int of milliseconds, refuses one below 0, and takes 0 for its own default (tcp(7)). So a
    /// longer time becomes the longest, about 25 days, and a shorter one a millisecond.
    var asUserTimeout: SocketOptionValue {
        .init(min(max(nanoseconds / 1_000_000, 1), Int64(Int32.max)))
    }
}
