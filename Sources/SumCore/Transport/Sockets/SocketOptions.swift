internal import NIOCore

extension NIOBSDSocket.Option {
    /// Linux's TCP_USER_TIMEOUT: how long sent data may stay unacknowledged, in milliseconds.
    static let tcp_user_timeout = NIOBSDSocket.Option(rawValue: 18)
    /// Linux's TCP_NOTSENT_LOWAT: how much unsent data makes a socket unwritable, in bytes.
    static let tcp_notsent_lowat = NIOBSDSocket.Option(rawValue: 25)
}

extension TimeAmount {
    /// The time as a value of TCP_USER_TIMEOUT, clamped to the range from 1 ms to about 25 days. The option is an int
    /// of milliseconds; 0 means the kernel's default, and negative values are refused (tcp(7)).
    var asUserTimeout: SocketOptionValue {
        .init(min(max(nanoseconds / 1_000_000, 1), Int64(Int32.max)))
    }
}
