internal import NIOCore

/// Cuts what a peer sends over TLS at the ends of records (RFC 8446 section 5.1), so that they can be decrypted one by one.
///
/// NIOSSL decrypts all that it is given into one buffer, which it keeps, and copies a read to the rest of the one before. A
/// record has at most 16 KiB, and nothing is left of it.
///
/// Records before the first of application data are passed on as they arrive, since the handshake must not wait.
struct RecordCutter {
    private enum State {
        /// Fewer bytes of a record's header have arrived than it has; they are passed on.
        case header(count: Int, length: Int)
        /// Bytes of a record that are passed on as they arrive.
        case passing(left: Int)
        /// The beginning of a record of application data.
        case holding(ByteBuffer)
        /// This is not TLS; everything is passed on.
        case off
    }

    private var state = State.header(count: 0, length: 0)

    /// `application_data`, of which are all records of TLS 1.3 after the first messages of the handshake.
    private static let applicationData: UInt8 = 23
    private static let headerLength = 5
    /// Bytes of the longest record of TLS 1.2, without its header (RFC 5246 section 6.2.3).
    private static let longestRecord = (16 << 10) + 2048

    /// Takes the next piece from `bytes`, which continue the bytes before: a whole record, or a part of one that must not
    /// wait.
    ///
    /// - Returns: nil if all bytes have been taken, and the rest is held.
    mutating func next(from bytes: inout ByteBuffer) -> ByteBuffer? {
        guard bytes.readableBytes > 0 else { return nil }
        switch state {
        case .off:
            return bytes.readSlice(length: bytes.readableBytes)
        case .passing(let left):
            let count = min(left, bytes.readableBytes)
            state = count == left ? .header(count: 0, length: 0) : .passing(left: left - count)
            return bytes.readSlice(length: count)
        case .header(0, _)
        where bytes.getInteger(at: bytes.readerIndex, as: UInt8.self) == Self.applicationData:
            return wholeRecord(from: &bytes)
        case .header(let count, let length):
            return passHeader(from: &bytes, count, length)
        case .holding(var held):
            // Held once only, so that it is changed in place.
            state = .off
            return complete(&held, from: &bytes)
        }
    }

    private mutating func wholeRecord(from bytes: inout ByteBuffer) -> ByteBuffer? {
        guard bytes.readableBytes >= Self.headerLength, let length = Self.length(of: bytes) else {
            return hold(&bytes)
        }
        guard length <= Self.longestRecord else {
            state = .off
            return next(from: &bytes)
        }
        return bytes.readSlice(length: Self.headerLength + length) ?? hold(&bytes)
    }

    /// Copies the bytes, so that they do not keep the memory of the read.
    private mutating func hold(_ bytes: inout ByteBuffer) -> ByteBuffer? {
        var held = ByteBuffer()
        held.writeBuffer(&bytes)
        state = .holding(held)
        return nil
    }

    private mutating func complete(_ held: inout ByteBuffer, from bytes: inout ByteBuffer) -> ByteBuffer? {
        while true {
            let length = Self.length(of: held)
            if let length, length > Self.longestRecord { return held }
            let missing = Self.headerLength + (length ?? 0) - held.readableBytes
            guard missing > 0 else {
                state = .header(count: 0, length: 0)
                return held
            }
            guard var piece = bytes.readSlice(length: min(missing, bytes.readableBytes)),
                piece.readableBytes > 0
            else {
                state = .holding(held)
                return nil
            }
            held.writeBuffer(&piece)
        }
    }

    /// The length of a record, without its header; nil if the header is not complete.
    private static func length(of record: ByteBuffer) -> Int? {
        record.readableBytes < headerLength
            ? nil : record.getInteger(at: record.readerIndex + 3, as: UInt16.self).map(Int.init)
    }

    /// Passes on as much of a header as there is, with what follows of its record.
    private mutating func passHeader(from bytes: inout ByteBuffer, _ count: Int, _ length: Int) -> ByteBuffer?
    {
        var (count, length, taken) = (count, length, 0)
        while count < Self.headerLength, taken < bytes.readableBytes {
            let byte = bytes.getInteger(at: bytes.readerIndex + taken, as: UInt8.self) ?? 0
            if count >= 3 { length = length << 8 | Int(byte) }
            (count, taken) = (count + 1, taken + 1)
        }
        guard count == Self.headerLength else {
            state = .header(count: count, length: length)
            return bytes.readSlice(length: taken)
        }
        let left = max(0, length - (bytes.readableBytes - taken))
        let piece = bytes.readSlice(length: min(taken + length, bytes.readableBytes))
        state = left > 0 ? .passing(left: left) : .header(count: 0, length: 0)
        return piece
    }
}
