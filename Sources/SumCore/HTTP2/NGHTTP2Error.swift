internal import CNghttp2

/// An error of nghttp2.
struct NGHTTP2Error: Error, Equatable, CustomStringConvertible {
    /// The library's code, which is negative (`nghttp2_error`).
    var code: Int32

    static let outOfMemory = Self(code: Int32(NGHTTP2_ERR_NOMEM.rawValue))
    static let badClientMagic = Self(code: Int32(NGHTTP2_ERR_BAD_CLIENT_MAGIC.rawValue))

    var description: String {
        unsafe String(cString: nghttp2_strerror(code))
    }

    /// Returns a result, or throws it if it is negative.
    @discardableResult
    static func check<Result: BinaryInteger>(_ result: Result) throws(NGHTTP2Error) -> Result {
        if result < 0 { throw NGHTTP2Error(code: Int32(clamping: result)) }
        return result
    }
}
