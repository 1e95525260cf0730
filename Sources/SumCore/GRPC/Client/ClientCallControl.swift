/// What the tasks of a call ask of its connection. All members may be used from any thread.
protocol ClientCallControl: AnyObject, Sendable {
    /// Pulls messages again after the body was empty.
    func wake()
    /// Reports `count` consumed response bytes, in addition to those that `receive` returned.
    func credit(_ count: Int)
    /// Abandons the call: the server gets RST_STREAM(CANCEL), and the call ends with CANCELLED.
    func cancel()
    /// Waits for the server's address until the call has a connection; nil if the call ends without one.
    func peer() async -> Peer?
}
