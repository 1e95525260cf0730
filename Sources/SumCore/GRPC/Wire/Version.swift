/// The name and version of this software in headers and output.
package enum Version {
    /// The version of the package (https://semver.org).
    package static let current = "1.0.0"

    /// The version, and what this build lacks, for people.
    package static var description: String {
        #if TLS
        current
        #else
        "\(current) (without TLS)"
        #endif
    }

    /// The `user-agent` of requests: `grpc-`, the language, a variant, the version, and the platform
    /// (grpc/doc/PROTOCOL-HTTP2.md, "User Agents").
    ///
    /// - Parameter prefix: the name of the program, which goes first; may be empty.
    static func userAgent(after prefix: String) -> String {
        "\(prefix) \(userAgent)".withoutOuterSpaces
    }

    private static let userAgent =
        "grpc-swift-sum/\(current) (linux; nghttp2/\(NGHTTP2Version.linked))"

    /// The `server` header of responses.
    static let server = "grpc-swift-sum/\(current)"
}
