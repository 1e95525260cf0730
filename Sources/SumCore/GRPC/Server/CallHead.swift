/// What calls with the same headers have in common. They share one object, since a server may have many waiting calls.
final class CallHead: Sendable {
    let path: String
    let authority: String
    let userAgent: String
    /// The client's `grpc-accept-encoding`, as received.
    let acceptEncoding: String

    init(path: String, authority: String = "", userAgent: String = "", acceptEncoding: String = "") {
        self.path = path
        self.authority = authority
        self.userAgent = userAgent
        self.acceptEncoding = acceptEncoding
    }

    convenience init(_ request: GRPCRequestHead) {
        self.init(
            path: request.path, authority: request.authority, userAgent: request.userAgent,
            acceptEncoding: request.acceptEncoding)
    }
}
