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

    /// What a peer says it can decompress; others than these are of no use to us.
    static func accepted(_ acceptEncoding: String) -> Set<GRPCCompression> {
        let names = acceptEncoding.split(separator: ",").map { $0.filter { $0 != " " } }
        return Set(names.compactMap(Self.init)).union([.identity])
    }
}
