internal import NIOCore

/// The client's side of one call at the lowest level: synchronous, in batches, on the connection's event loop. It must
/// never block.
protocol ClientCallHandler: AnyObject, Sendable {
    /// The request's messages, each with its five-byte prefix. After the body had nothing to give, call
    /// `ClientCallControl.wake` when it has something again.
    var requestBody: any HTTP2Body { get }
    /// The messages of the call so far, for observers.
    var tally: ClientCallObservation.Tally { get }
    /// The response has begun. Not called if the call fails before that.
    func receiveHeaders(_ metadata: GRPCMetadata, compression: GRPCCompression)
    /// Takes bytes of the response's messages, each with its five-byte prefix, split at any position.
    ///
    /// - Returns: how many bytes have been consumed, from this call or earlier ones. The server gets that much credit.
    /// - Throws: the status that the call ends with; the stream is reset.
    func receive(_ bytes: ByteBuffer) throws(GRPCStatus) -> Int
    /// The call has ended. Called once, and last.
    func end(_ end: ClientCallEnd)
}

extension ClientCallHandler {
    var tally: ClientCallObservation.Tally { .init() }
}
