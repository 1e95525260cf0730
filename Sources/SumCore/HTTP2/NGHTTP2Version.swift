internal import CNghttp2

/// The version of nghttp2 that is loaded.
enum NGHTTP2Version {
    /// The version, such as `1.52.0`. Sound because nghttp2 returns a pointer to constants, or NULL for a version older
    /// than the one asked for.
    static var linked: String {
        unsafe nghttp2_version(0).map { unsafe String(cString: $0.pointee.version_str) } ?? "?"
    }
}
