/// The nine bytes that every HTTP/2 frame begins with (RFC 9113 section 4.1).
struct FrameHeader: Equatable {
    var length: Int
    private var type: UInt8
    private var flags: UInt8
    var streamID: UInt32

    enum Kind: Equatable {
        case data, headers, priority, rstStream, pushPromise, goAway, continuation, other
    }

    /// Reads the header at `position`, which lies in `bytes` whole.
    init(_ bytes: RawSpan, at position: Int) {
        let word = UInt64(
            bigEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: position, as: UInt64.self))
        length = Int(word >> 40)
        type = UInt8(truncatingIfNeeded: word >> 32)
        flags = UInt8(truncatingIfNeeded: word >> 24)
        streamID =
            UInt32(bigEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: position + 5, as: UInt32.self))
            & 0x7fff_ffff
    }

    var kind: Kind {
        switch type {
        case 0: .data
        case 1: .headers
        case 2: .priority
        case 3: .rstStream
        case 5: .pushPromise
        case 7: .goAway
        case 9: .continuation
        default: .other
        }
    }

    /// Whether this is DATA of which the header alone shows that it carries something.
    var carriesData: Bool { type == 0 && length > 0 && !isPadded }
    /// END_STREAM, of DATA and HEADERS.
    var endsStream: Bool { flags & 0x1 != 0 }
    /// END_HEADERS, of HEADERS, PUSH_PROMISE and CONTINUATION.
    var endsHeaders: Bool { flags & 0x4 != 0 }
    /// PADDED, of DATA.
    var isPadded: Bool { flags & 0x8 != 0 }
}
