/// The nine-byte header of an HTTP/2 frame (RFC 9113 section 4.1).
struct FrameHeader: Equatable {
    var length: Int
    private var type: UInt8
    private var flags: UInt8
    var streamID: UInt32

    enum Kind: Equatable {
        case data, headers, priority, rstStream, pushPromise, goAway, continuation, other
    }

    /// Parses the header at `position`; all nine bytes must be in `bytes`.
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

    /// Whether the header alone shows that this is non-empty DATA. With padding it does not.
    var carriesData: Bool { type == 0 && length > 0 && !isPadded }
    /// END_STREAM; only meaningful for DATA and HEADERS.
    var endsStream: Bool { flags & 0x1 != 0 }
    /// END_HEADERS; only meaningful for HEADERS, PUSH_PROMISE and CONTINUATION.
    var endsHeaders: Bool { flags & 0x4 != 0 }
    /// PADDED; used for DATA only.
    var isPadded: Bool { flags & 0x8 != 0 }
}
