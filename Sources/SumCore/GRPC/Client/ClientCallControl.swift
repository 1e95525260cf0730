/// What the tasks of a call want of its connection, from any thread.
protocol ClientCallControl: AnyObject, Sendable {
    /// Pulls the messages again, after there were none.
    func wake()
    /// So many bytes of responses have been consumed, beside those that `receive` told of.
    func credit(_ count: Int)
    /// Gives the call up: the server is told (RST_STREAM CANCEL), and the call ends with CANCELLED.
    func cancel()
    /// The address of the server, once the call has a connection; nil if it ended without one.
    func peer() async -> Peer?
}
