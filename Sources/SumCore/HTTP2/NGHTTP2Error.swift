internal import CNghttp2

/// A call into nghttp2 that failed.
struct NGHTTP2Error: Error, Equatable, CustomStringConvertible {
    /// The library's code: negative, as listed in `nghttp2_error`.
    var code: Int32

    static let outOfMemory = Self(code: Int32(NGHTTP2_ERR_NOMEM.rawValue))
    static let badClientMagic = Self(code: Int32(NGHTTP2_ERR_BAD_CLIENT_MAGIC.rawValue))

    var description: String {
        unsafe String(cString: nghttp2_strerror(code))
    }

    /// Passes a result through, or throws it when it is negative.
    @discardableResult
    static func check<Result: BinaryInteger>(_ result: Result) throws(NGHTTP2Error) -> Result {
        if result < 0 { throw NGHTTP2Error(code: Int32(clamping: result)) }
        return result
    }
}
