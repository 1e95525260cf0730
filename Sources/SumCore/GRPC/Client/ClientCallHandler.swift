internal import NIOCore

/// The client's part of one call in its lowest form: synchronous, in batches, on the event loop of its
/// connection, where it must never wait.
protocol ClientCallHandler: AnyObject, Sendable {
    /// The request's messages, each with its five-byte prefix. When it has nothing to give, and then has, the call is to
    /// be woken (`ClientCallControl.wake`).
    var requestBody: any HTTP2Body { get }
    /// The answer has begun. A call that fails before it has messages ends without this.
    func receiveHeaders(_ metadata: GRPCMetadata, compression: GRPCCompression)
    /// Takes bytes of the response's messages, each with its five-byte prefix, cut at any place.
    ///
    /// - Returns: how many bytes have been consumed, of these or earlier ones. The server may send as many more.
    /// - Throws: the status that the call ends with, which is cancelled.
    func receive(_ bytes: ByteBuffer) throws(GRPCStatus) -> Int
    /// The call has ended. Called once, and last.
    func end(_ end: ClientCallEnd)
}
