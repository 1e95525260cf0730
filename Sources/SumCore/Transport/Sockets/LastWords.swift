internal import NIOCore

extension ChannelHandlerContext {
    /// Writes the answer to a peer that does not speak our protocol, and then ends our side of the socket, so that the peer
    /// reads the answer and closes. Whoever calls this closes the socket if the peer does not.
    ///
    /// Closing at once would lose the answer if more of the peer's request is on its way: TCP resets a connection that is
    /// closed with bytes unread, and the peer then drops what it has not read (RFC 9112 section 9.6).
    func writeLastWords(_ bytes: ByteBuffer) {
        write(bytes) { self.close(mode: .output, promise: nil) }
    }

    /// Writes, and calls `body` on the event loop when everything has left for the socket, or cannot any more.
    func write(_ bytes: ByteBuffer, then body: @escaping () -> Void) {
        let written = eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in body() }
        writeAndFlush(NIOAny(bytes), promise: written)
    }
}
