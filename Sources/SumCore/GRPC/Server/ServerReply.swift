public import NIOCore

/// What a handler does in response to an event: consume bytes, send metadata and messages, end the call.
///
/// Most replies only consume bytes, or send messages and end the call with OK. What else a reply may have is in memory
/// of its own, so that a reply is cheap to make and to pass on.
public struct ServerReply: Sendable {
    /// Bytes of the request, on the wire, that have been consumed since the last reply. The client gets window for as
    /// many.
    public var consumed: Int
    /// Whether the call ends.
    private(set) var endsCall: Bool
    private(set) var content = Content.nothing
    private var extras: Shared<Values>?

    /// Creates a reply without messages.
    ///
    /// - Parameters:
    ///   - consumed: bytes of the request that have been consumed.
    ///   - end: the status that ends the call.
    public init(consumed: Int = 0, end: GRPCStatus? = nil) {
        self.consumed = consumed
        endsCall = end != nil
        if let end, !end.isPlainOK { values.status = end }
    }

    /// Creates a reply of one message that ends the call with OK.
    init(lastMessage: ShortMessage) {
        consumed = 0
        endsCall = true
        content = .short(lastMessage)
    }

    /// Messages for the client, each with its five-byte prefix. Their size is not limited: `ServerCallHandler.sent`
    /// tells how much has left.
    public var messages: ByteBuffer {
        get {
            switch content {
            case .nothing: ByteBuffer()
            case .short(let message): ByteBuffer(message)
            case .messages(let messages): messages
            }
        }
        _modify {
            var messages = messages
            // So that it is uniquely referenced, and grows in place.
            content = .nothing
            defer { content = .messages(messages) }
            yield &messages
        }
    }

    /// The status that ends the call after the messages; nil if the call continues.
    public var end: GRPCStatus? {
        get { endsCall ? values.status : nil }
        set {
            endsCall = newValue != nil
            if extras != nil || newValue?.isPlainOK == false { values.status = newValue ?? .ok }
        }
    }

    /// Bytes to which the compressed messages among these were decompressed. A client whose messages decompress to far
    /// more than it sends loses its connection (`GRPCServer.Configuration.maxDecompressionExcess`).
    public var decompressed: Int {
        get { values.decompressed }
        set { values.decompressed = newValue }
    }

    /// Metadata in the response headers. These are sent with the first reply that has messages, sends the headers, or
    /// ends the call; metadata in later replies is ignored.
    public var metadata: GRPCMetadata {
        get { values.metadata }
        set { values.metadata = newValue }
    }

    /// Whether to send the headers now, even without a message.
    public var sendsHeaders: Bool {
        get { values.sendsHeaders }
        set { values.sendsHeaders = newValue }
    }

    /// The compression used by messages whose compressed flag is set. Only the reply that sends the headers sets it.
    public var compression: GRPCCompression {
        get { values.compression }
        set { values.compression = newValue }
    }

    /// Metadata that is sent with the status.
    public var trailers: GRPCMetadata {
        get { values.trailers }
        set { values.trailers = newValue }
    }

    /// What `messages` has.
    enum Content {
        case nothing
        case short(ShortMessage)
        case messages(ByteBuffer)
    }

    /// Bytes of `messages`.
    var messageBytes: Int {
        switch content {
        case .nothing: 0
        case .short(let message): message.byteCount
        case .messages(let messages): messages.readableBytes
        }
    }
    /// Whether there is nothing but consumed bytes and messages, and OK at the end.
    var isPlain: Bool { extras == nil }

    /// Whether it says nothing but that bytes have been consumed.
    var isMereConsumption: Bool { isPlain && !endsCall && messageBytes == 0 }

    // MARK: What few replies have

    private struct Values: Sendable {
        var status = GRPCStatus.ok
        var decompressed = 0
        var metadata = GRPCMetadata()
        var sendsHeaders = false
        var compression = GRPCCompression.identity
        var trailers = GRPCMetadata()
    }

    private var values: Values {
        get { extras?.value ?? Values() }
        set { extras = Shared(newValue) }
    }
}
