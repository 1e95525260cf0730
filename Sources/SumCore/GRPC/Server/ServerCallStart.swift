/// What is known of a call when it begins, from the server's side.
///
/// Calls of one connection with the same headers share its memory, until one is changed.
public struct ServerCallStart: Sendable {
    private var shared: Shared<Values>

    struct Values: Sendable {
        var peer: Peer
        var path: String
        var isHosted: Bool
        var authority: String
        var userAgent: String
        var timeout: Duration?
        var metadata: GRPCMetadata
    }

    var values: Values {
        get { shared.value }
        set { shared = Shared(newValue) }
    }

    init(
        peer: Peer, path: String, isHosted: Bool = true, authority: String = "", userAgent: String = "",
        timeout: Duration? = nil, metadata: GRPCMetadata = GRPCMetadata()
    ) {
        shared = Shared(
            Values(
                peer: peer, path: path, isHosted: isHosted, authority: authority, userAgent: userAgent,
                timeout: timeout, metadata: metadata))
    }

    /// The client. Its principal is known only if TLS has told it.
    public var peer: Peer { shared.value.peer }
    /// As the client sent it; `/package.Service/Method` if it is well-formed.
    public var path: String { shared.value.path }
    /// Whether the server hosts a method with this path. If not, the client may have made it up.
    public var isHosted: Bool { shared.value.isHosted }
    /// The client's name for the server (`:authority`, or `host`).
    public var authority: String { shared.value.authority }
    /// The client's `user-agent`.
    public var userAgent: String { shared.value.userAgent }
    /// The client's timeout; nil if it set none, or a malformed one.
    public var timeout: Duration? { shared.value.timeout }
    /// The client's metadata, with its credentials.
    public var metadata: GRPCMetadata { shared.value.metadata }

    /// Whether the two share their memory. If so they are equal; if not, they may be equal too.
    package func isIdentical(to other: Self) -> Bool { shared === other.shared }
}

extension ServerCallStart {
    init(_ request: GRPCRequestHead, peer: Peer) {
        self.init(
            peer: peer, path: request.path, authority: request.authority, userAgent: request.userAgent,
            timeout: request.timeout, metadata: request.metadata)
    }

    /// - Parameter fields: the headers of a request that was rejected.
    init(rejected fields: [HTTP2Field], isHosted: (String) -> Bool, peer: Peer) {
        let path = fields.first(":path") ?? ""
        self.init(
            peer: peer, path: path, isHosted: isHosted(path),
            authority: fields.first(":authority") ?? fields.first("host") ?? "",
            userAgent: fields.first("user-agent") ?? "",
            timeout: fields.first("grpc-timeout").flatMap(GRPCTimeout.decode),
            metadata: GRPCMetadata(received: fields))
    }
}
