/// A method that a server hosts.
public struct GRPCMethod: Sendable {
    /// `/package.Service/Method`.
    public var path: String
    /// The maximum message size in bytes, both on the wire and decompressed; nil for the server's limit. The work that
    /// a client can cause grows with it, so methods with small messages should set it.
    public var maxMessageSize: Int?
    /// Whether anybody may call it, without being asked who they are (`GRPCServer.Configuration.authorize`).
    public var isOpen = false
    /// Creates the handler of one call, on the connection's event loop; it must not block. If it throws, the call ends
    /// at once with that status.
    public var makeHandler: @Sendable (ServerCallContext) throws(GRPCStatus) -> any ServerCallHandler
    /// A warning to log when a server starts with this method.
    var warning: String?

    /// Creates a method for `GRPCServer.start`.
    ///
    /// - Parameters:
    ///   - path: `/package.Service/Method`.
    ///   - maxMessageSize: the maximum size of a request message in bytes; nil for the server's limit.
    ///   - makeHandler: creates the handler of each call, on the connection's event loop; it must not block. If it
    ///     throws, the call ends with that status.
    public init(
        path: String, maxMessageSize: Int? = nil,
        makeHandler: @escaping @Sendable (ServerCallContext) throws(GRPCStatus) -> any ServerCallHandler
    ) {
        self.path = path
        self.maxMessageSize = maxMessageSize
        self.makeHandler = makeHandler
    }

    /// Returns the method open to everybody.
    public func openToAll() -> GRPCMethod {
        var method = self
        method.isOpen = true
        return method
    }

    /// Returns the method with messages limited to `count` bytes.
    package func limited(to count: Int) -> GRPCMethod {
        var method = self
        method.maxMessageSize = count
        return method
    }
}
