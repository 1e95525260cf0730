internal import CNghttp2

/// The release of nghttp2 that is linked.
enum NGHTTP2Version {
    /// Such as `1.52.0`. What nghttp2 returns here are constants, or NULL for a release older than the one asked for.
    static var linked: String {
        unsafe nghttp2_version(0).map { unsafe String(cString: $0.pointee.version_str) } ?? "?"
    }
}
