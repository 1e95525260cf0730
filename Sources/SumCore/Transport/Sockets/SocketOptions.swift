internal import NIOCore

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
