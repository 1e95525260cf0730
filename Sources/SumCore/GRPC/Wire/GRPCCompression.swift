/// How a call's messages may be compressed (grpc/doc/compression.md). Each message says for itself whether it is.
public enum GRPCCompression: String, CaseIterable, Sendable {
    /// Not at all.
    case identity
    /// zlib's format (RFC 1950).
    case deflate
    /// RFC 1952.
    case gzip

    /// The value of `grpc-accept-encoding`: what this implementation can decompress.
    static let acceptEncoding = allCases.map(\.rawValue).joined(separator: ",")

    /// Whether a peer with this `grpc-accept-encoding` can decompress it.
    func isAccepted(by acceptEncoding: String) -> Bool {
        guard self != .identity else { return true }
        return acceptEncoding.split(separator: ",").contains { $0.filter { $0 != " " } == rawValue }
    }
}
