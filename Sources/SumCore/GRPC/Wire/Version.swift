/// The name and version of this software in headers and output.
package enum Version {
    /// The version of the package (https://semver.org).
    package static let current = "1.0.0"

    /// Whether this is that version, and not what it is becoming. `scripts/release` changes both.
    package static let isReleased = false

    /// Whether the package was built with the trait `TLS`.
    package static var hasTLS: Bool {
        #if TLS
        true
        #else
        false
        #endif
    }

    /// The version of nghttp2 that is linked, such as `1.52.0`.
    package static var nghttp2: String { NGHTTP2Version.linked }

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
