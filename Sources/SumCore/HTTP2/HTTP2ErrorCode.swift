internal import CNghttp2

/// An error code of RST_STREAM and GOAWAY frames (RFC 9113 section 7).
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

    /// The name of the code in RFC 9113, such as `REFUSED_STREAM`.
    var description: String {
        rawValue <= Self.http11Required.rawValue
            ? unsafe String(cString: nghttp2_http2_strerror(rawValue)) : "error code \(rawValue)"
    }
}
