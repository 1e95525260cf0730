public import NIOCore

/// What a handler does in response to an event: consume bytes, send metadata and messages, end the call.
public struct ServerReply: Sendable {
    /// Bytes of the request, on the wire, that have been consumed since the last reply. The client gets window for as
    /// many.
    public var consumed: Int
    /// Bytes to which the compressed messages among these were decompressed. A client whose messages decompress to far
    /// more than it sends loses its connection (`GRPCServer.Configuration.maxDecompressionExcess`).
    public var decompressed = 0
    /// Metadata in the response headers. These are sent with the first reply that has messages, sends the headers, or
    /// ends the call; metadata in later replies is ignored.
    public var metadata = GRPCMetadata()
    /// Whether to send the headers now, even without a message.
    public var sendsHeaders = false
    /// The compression used by messages whose compressed flag is set. Only the reply that sends the headers sets it.
    public var compression = GRPCCompression.identity
    /// Messages for the client, each with its five-byte prefix. Their size is not limited: `ServerCallHandler.sent`
    /// tells how much has left.
    public var messages = ByteBuffer()
    /// Metadata that is sent with the status.
    public var trailers = GRPCMetadata()
    /// The status that ends the call after the messages; nil if the call continues.
    public var end: GRPCStatus?

    /// Creates a reply without messages.
    ///
    /// - Parameters:
    ///   - consumed: bytes of the request that have been consumed.
    ///   - end: the status that ends the call.
    public init(consumed: Int = 0, end: GRPCStatus? = nil) {
        self.consumed = consumed
        self.end = end
    }
}
