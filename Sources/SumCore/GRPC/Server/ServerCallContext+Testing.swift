extension ServerCallContext {
    /// Creates the context of a call that nobody has made, to test a `ServerCallHandler` or a `ServerInterceptor` without a
    /// server.
    ///
    /// - Parameters:
    ///   - path: `/package.Service/Method`.
    ///   - metadata: what the client sent.
    ///   - timeout: the client's timeout, which begins now; nil for none.
    ///   - peer: the client.
    ///   - maxMessageSize: the largest message in bytes, on the wire and decompressed.
    ///   - compression: that of request messages whose compressed flag is set.
    ///   - acceptedCompressions: those that the client can decompress.
    ///   - authority: the client's name for the server.
    ///   - userAgent: the client's `user-agent`.
    ///   - reply: gets the replies that are made outside the handler's methods, as handlers with async/await make them all;
    ///     on the thread that makes them.
    public init(
        path: String, metadata: GRPCMetadata = .init(), timeout: Duration? = nil,
        peer: Peer = Peer(address: ""), maxMessageSize: Int = 4 << 20,
        compression: GRPCCompression = .identity, acceptedCompressions: [GRPCCompression] = [],
        authority: String = "", userAgent: String = "",
        reply: @escaping @Sendable (ServerReply) -> Void = { _ in }
    ) {
        let head = CallHead(
            path: path, authority: authority, userAgent: userAgent,
            acceptEncoding: acceptedCompressions.map(\.rawValue).joined(separator: ","))
        let values = Values(
            head: head, metadata: metadata, timeout: timeout, peer: peer, maxMessageSize: maxMessageSize,
            compression: compression, post: { _, made in reply(made()) })
        self.init(Shared(values), streamID: 1, deadline: timeout.map { .now + $0 })
    }
}
