/// Finds the ends of TLS records (RFC 8446 section 5.1), and cuts what arrives there into pieces.
///
/// NIOSSL asks for room for a whole record before each that it decrypts, and its buffer has room for two at first. So the
/// buffer does not grow as long as the data of the records that end in a piece is not longer than that of one.
struct TLSRecords {
    /// Bytes of a header: type, version, length.
    private static let headerLength = 5
    /// Bytes of a record that are not data, in TLS 1.3: the type and the tag. In TLS 1.2 they are 16 or 24.
    private static let overhead = 17
    /// Bytes of the data of the longest record.
    static let maxLength = 16 << 10

    /// Bytes of the header that have arrived.
    private var headerCount = 0
    /// The length in the header, as far as that has arrived.
    private var length = 0
    /// Bytes of the record that are still to come after its header.
    private var left = 0

    /// Goes on by one piece.
    ///
    /// - Parameters:
    ///   - bytes: what has arrived after the last piece.
    ///   - limit: bytes of data that the records that end in a piece may have together. A single one may have more.
    /// - Returns: how many of them are the next piece: 0 only if there are none.
    mutating func pieceLength(of bytes: RawSpan, limit: Int) -> Int {
        var position = 0
        // Bytes of data of the records that end in this piece.
        var ended = 0
        while position < bytes.byteCount {
            if headerCount < Self.headerLength {
                let start = position
                readHeader(bytes, &position)
                guard headerCount == Self.headerLength else { break }
                if ended > 0, ended + dataLength > limit {
                    headerCount = 0
                    return start
                }
                left = length
            }
            let count = min(left, bytes.byteCount - position)
            position += count
            left -= count
            guard left == 0 else { break }
            ended += dataLength
            headerCount = 0
        }
        return position
    }

    private var dataLength: Int { max(0, length - Self.overhead) }

    private mutating func readHeader(_ bytes: RawSpan, _ position: inout Int) {
        while headerCount < Self.headerLength, position < bytes.byteCount {
            length = (length << 8 | Int(bytes.byte(at: position))) & 0xffff
            headerCount += 1
            position += 1
        }
    }
}
