/// Finds where HTTP/2 frames begin in a byte stream that arrives in arbitrary pieces.
///
/// nghttp2 1.52 counts one legal CONTINUATION frame several times when its 9-byte header arrives in pieces,
/// and then refuses it. So a header that is not whole yet is held back here.
struct FrameBoundary {
    static let headerLength = 9

    /// Bytes to pass through before the next frame header.
    private var payloadLeft: Int
    /// The beginning of a frame header whose end has not arrived.
    private(set) var held: [UInt8] = []

    /// - Parameter skipping: the bytes before the first frame: 24 for a client's preface (RFC 9113 section 3.4).
    init(skipping: Int) {
        payloadLeft = skipping
        held.reserveCapacity(Self.headerLength)
    }

    /// Completes the held header with the bytes that follow it.
    ///
    /// - Returns: how many bytes of `bytes` it took, and whether the header is whole now.
    mutating func completeHeader(from bytes: RawSpan) -> (taken: Int, isWhole: Bool) {
        let taken = min(Self.headerLength - held.count, bytes.byteCount)
        for index in 0..<taken {
            held.append(bytes.byte(at: index))
        }
        guard held.count == Self.headerLength else { return (taken, false) }
        payloadLeft = Self.payloadLength((held[0], held[1], held[2]))
        return (taken, true)
    }

    /// Forgets the held header, which the caller has passed on.
    mutating func releaseHeader() {
        held.removeAll(keepingCapacity: true)
    }

    /// Walks the frames in `bytes`, which follow what was passed on so far.
    ///
    /// - Returns: how many bytes can be passed on; the rest, a piece of a frame header, is held.
    mutating func advance(over bytes: RawSpan) -> Int {
        var position = 0
        while true {
            let skipped = min(payloadLeft, bytes.byteCount - position)
            position += skipped
            payloadLeft -= skipped
            guard payloadLeft == 0 else { return position }
            guard bytes.byteCount - position >= Self.headerLength else { break }
            payloadLeft = Self.payloadLength(
                (bytes.byte(at: position), bytes.byte(at: position + 1), bytes.byte(at: position + 2)))
            position += Self.headerLength
        }
        for index in position..<bytes.byteCount {
            held.append(bytes.byte(at: index))
        }
        return position
    }

    /// The 24-bit length that a frame header begins with (RFC 9113 section 4.1).
    private static func payloadLength(_ header: (UInt8, UInt8, UInt8)) -> Int {
        Int(header.0) << 16 | Int(header.1) << 8 | Int(header.2)
    }
}

extension RawSpan {
    /// The byte at `index`, bounds checked.
    func byte(at index: Int) -> UInt8 {
        unsafe unsafeLoad(fromByteOffset: index, as: UInt8.self)
    }
}
