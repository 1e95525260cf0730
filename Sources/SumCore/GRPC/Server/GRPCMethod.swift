/// A method that a server hosts.
public struct GRPCMethod: Sendable {
    /// `/package.Service/Method`.
    public var path: String
    /// Bytes of the longest message that the method takes, on the wire and decompressed; nil: as many as the server
    /// does. What a client can make a server do grows with it, so methods with small messages should say so.
    public var maxMessageSize: Int?
    /// Makes the handler of one call, on the event loop of its connection. A status that it throws ends the call at once.
    public var makeHandler: @Sendable (ServerCallContext) throws(GRPCStatus) -> any ServerCallHandler
    /// What whoever starts a server with the method should know.
    var warning: String?

    public init(
        path: String, maxMessageSize: Int? = nil,
        makeHandler: @escaping @Sendable (ServerCallContext) throws(GRPCStatus) -> any ServerCallHandler
    ) {
        self.path = path
        self.maxMessageSize = maxMessageSize
        self.makeHandler = makeHandler
    }

    /// The same method with messages of at most `count` bytes.
    func limited(to count: Int) -> GRPCMethod {
        var method = self
        method.maxMessageSize = count
        return method
    }
}
