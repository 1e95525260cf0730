/// The compression of a call's messages (grpc/doc/compression.md). Each message has a flag that says whether it is
/// compressed.
public enum GRPCCompression: String, CaseIterable, Sendable {
    /// No compression.
    case identity
    /// The zlib format (RFC 1950).
    case deflate
    /// The gzip format (RFC 1952).
    case gzip

    /// Our value of `grpc-accept-encoding`: the compressions that this implementation can decompress.
    static let acceptEncoding = allCases.map(\.rawValue).joined(separator: ",")

    /// Whether a peer that has sent this `grpc-accept-encoding` can decompress it.
    func isAccepted(by acceptEncoding: String) -> Bool {
        guard self != .identity else { return true }
        return acceptEncoding.split(separator: ",").contains { $0.filter { $0 != " " } == rawValue }
    }
}
