/// What this software calls itself.
public enum Version {
    /// The version of the package (https://semver.org).
    public static let current = "1.0.0"

    /// The `user-agent` of requests: `grpc-`, the language, a variant and the version, and what it runs on
    /// (grpc/doc/PROTOCOL-HTTP2.md, "User Agents").
    ///
    /// - Parameter prefix: what the program says of itself; it goes first.
    static func userAgent(after prefix: String) -> String {
        "\(prefix) \(userAgent)".withoutOuterSpaces
    }

    private static let userAgent =
        "grpc-swift-sum/\(current) (linux; nghttp2/\(NGHTTP2Version.linked))"

    /// The `server` of responses, which grpc/proposal A8 asks for.
    static let server = "grpc-swift-sum/\(current)"
}
