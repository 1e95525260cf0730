public import NIOCore

/// What a handler wants done.
public struct ServerReply: Sendable {
    /// Bytes of the request that have been consumed since the last reply. The client may send as many more.
    public var consumed: Int
    /// Bytes that compressed messages among these were decompressed to. A client whose messages decompress to far more than
    /// it sends loses its connection (`GRPCServer.Configuration.maxDecompressionExcess`).
    public var decompressed = 0
    /// Metadata for the client, which travels in the headers. They leave with the first reply that has messages, sends
    /// the headers, or ends the call; metadata in a later reply is ignored.
    public var metadata = GRPCMetadata()
    /// Whether the headers leave now, even without a message.
    public var sendsHeaders = false
    /// How those of the messages are compressed that say they are; counts with the first message.
    public var compression = GRPCCompression.identity
    /// Messages for the client, each with its five-byte prefix.
    public var messages = ByteBuffer()
    /// Metadata for the client that travels with the status.
    public var trailers = GRPCMetadata()
    /// Ends the call, once the messages have been sent.
    public var end: GRPCStatus?

    public init(consumed: Int = 0, end: GRPCStatus? = nil) {
        self.consumed = consumed
        self.end = end
    }
}
