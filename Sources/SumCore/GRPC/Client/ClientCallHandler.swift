internal import NIOCore

/// The client's part of one call in its lowest form: synchronous, in batches, on the event loop of its
/// connection, where it must never wait.
protocol ClientCallHandler: AnyObject, Sendable {
    /// Appends the next bytes of the request's messages, each with its five-byte prefix, to a frame.
    ///
    /// The frame may have as little room as one byte, so a message is cut wherever the frame ends. A handler
    /// that has nothing to give now appends nothing, and wakes the call when it has.
    func fill(_ frame: inout OutputRawSpan) -> ClientCallProgress
    /// Hands over the next bytes in the memory they are in, at most `maximum` of them, if they are many.
    func takeLongPiece(maximum: Int) -> (bytes: ByteBuffer, progress: ClientCallProgress)?
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

extension ClientCallHandler {
    func takeLongPiece(maximum: Int) -> (bytes: ByteBuffer, progress: ClientCallProgress)? { nil }
}

enum ClientCallProgress: Sendable {
    /// More may follow.
    case open
    /// All messages have been sent.
    case finished
}
