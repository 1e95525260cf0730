internal import CNghttp2

/// An error code as it stands in RST_STREAM and GOAWAY frames (RFC 9113 section 7).
struct HTTP2ErrorCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    var rawValue: UInt32

    static let noError = Self(rawValue: 0x0)
    static let protocolError = Self(rawValue: 0x1)
    static let internalError = Self(rawValue: 0x2)
    static let flowControlError = Self(rawValue: 0x3)
    static let settingsTimeout = Self(rawValue: 0x4)
    static let streamClosed = Self(rawValue: 0x5)
    static let frameSizeError = Self(rawValue: 0x6)
    static let refusedStream = Self(rawValue: 0x7)
    static let cancel = Self(rawValue: 0x8)
    static let compressionError = Self(rawValue: 0x9)
    static let connectError = Self(rawValue: 0xa)
    static let enhanceYourCalm = Self(rawValue: 0xb)
    static let inadequateSecurity = Self(rawValue: 0xc)
    static let http11Required = Self(rawValue: 0xd)

    /// The name RFC 9113 gives the code, such as `REFUSED_STREAM`.
    var description: String {
        rawValue <= Self.http11Required.rawValue
            ? unsafe String(cString: nghttp2_http2_strerror(rawValue)) : "error code \(rawValue)"
    }
}

/// A call into nghttp2 that failed.
struct HTTP2Error: Error, Equatable, CustomStringConvertible {
    /// The library's code: negative, as listed in `nghttp2_error`.
    var code: Int32

    static let outOfMemory = Self(code: Int32(NGHTTP2_ERR_NOMEM.rawValue))
    static let badClientMagic = Self(code: Int32(NGHTTP2_ERR_BAD_CLIENT_MAGIC.rawValue))

    var description: String {
        unsafe String(cString: nghttp2_strerror(code))
    }

    /// Passes a result through, or throws it when it is negative.
    @discardableResult
    static func check<Result: BinaryInteger>(_ result: Result) throws(HTTP2Error) -> Result {
        if result < 0 { throw HTTP2Error(code: Int32(clamping: result)) }
        return result
    }
}
