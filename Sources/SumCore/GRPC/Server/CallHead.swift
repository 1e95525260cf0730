/// What calls with the same headers have in common. One object for all of them, since a server may have many calls that
/// wait.
final class CallHead: Sendable {
    let path: String
    let authority: String
    let userAgent: String
    /// What the client can decompress, as it says it.
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
