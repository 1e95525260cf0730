internal import CZlib
internal import NIOCore

/// Compresses messages, one by one, with zlib.
///
/// Why the unsafe code is sound: zlib's state is allocated in `init`, never moves, which zlib demands, and is freed
/// in `deinit`; the pointers it is given to bytes are used only while `compress` runs.
@safe final class Deflater {
    private let stream = unsafe makeStream()

    /// - Returns: nil when there is no memory for it, which is about 256 KiB.
    init?(_ compression: GRPCCompression) {
        let result = unsafe deflateInit2_(
            stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, compression.windowBits, 8, Z_DEFAULT_STRATEGY,
            ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard result == Z_OK else { return nil }
    }

    deinit {
        unsafe deflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Appends the compressed message to `output`.
    func compress(_ message: [UInt8], to output: inout ByteBuffer) {
        let bound = unsafe deflateBound(stream, UInt(message.count))
        _ = unsafe message.withUnsafeBufferPointer { input in
            unsafe output.writeWithUnsafeMutableBytes(minimumWritableBytes: Int(bound)) { room in
                unsafe stream.setInput(UnsafeRawBufferPointer(input))
                unsafe stream.setOutput(room)
                // The bound holds all of it, so that one call is enough.
                unsafe deflate(stream, Z_FINISH)
                return unsafe room.count - Int(stream.pointee.avail_out)
            }
        }
        unsafe deflateReset(stream)
    }
}

/// Decompresses messages, one by one, with zlib, never into more bytes than it is allowed.
///
/// Sound for the reasons that hold for `Deflater`.
@safe final class Inflater {
    private let stream = unsafe makeStream()

    /// Bytes of output that are made room for at first; more as they come, so that a short message that claims
    /// to be long costs what it really holds.
    private static let firstRoom = 4 << 10

    /// - Returns: nil when there is no memory for it, which is about 40 KiB.
    init?(_ compression: GRPCCompression) {
        let result = unsafe inflateInit2_(
            stream, compression.windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard result == Z_OK else { return nil }
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Decompresses a whole message.
    ///
    /// - Throws: RESOURCE_EXHAUSTED as soon as it has become longer than `limit` bytes; INTERNAL when it is corrupt,
    ///   cut short, or followed by other bytes (grpc/doc/statuscodes.md).
    func decompress(_ message: ByteBuffer, limit: Int) throws(GRPCStatus) -> ByteBuffer {
        defer { unsafe inflateReset(stream) }
        var output = ByteBuffer()
        let result = unsafe message.withUnsafeReadableBytes { input in
            unsafe stream.setInput(input)
            return inflate(to: &output, limit: limit)
        }
        guard output.readableBytes <= limit else {
            throw GRPCStatus(
                code: .resourceExhausted,
                message: "a message is larger, once decompressed, than the limit of \(limit) bytes")
        }
        guard result == Z_STREAM_END, unsafe stream.pointee.avail_in == 0 else {
            throw GRPCStatus(code: .internalError, message: "a compressed message is corrupt")
        }
        return output
    }

    /// Goes on until the end of the input, an error, or one byte beyond the limit.
    private func inflate(to output: inout ByteBuffer, limit: Int) -> Int32 {
        var result = Z_OK
        while result == Z_OK, output.readableBytes <= limit {
            let room = min(max(output.readableBytes, Self.firstRoom), limit + 1 - output.readableBytes)
            unsafe output.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { writable in
                let writable = unsafe UnsafeMutableRawBufferPointer(rebasing: writable[..<room])
                unsafe stream.setOutput(writable)
                result = unsafe CZlib.inflate(stream, Z_NO_FLUSH)
                return unsafe room - Int(stream.pointee.avail_out)
            }
        }
        return result
    }
}

extension GRPCCompression {
    /// The largest window, and for gzip 16 more (zlib.h, `deflateInit2`).
    fileprivate var windowBits: Int32 {
        self == .gzip ? MAX_WBITS + 16 : MAX_WBITS
    }
}

private func makeStream() -> UnsafeMutablePointer<z_stream> {
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    return unsafe stream
}

extension UnsafeMutablePointer<z_stream> {
    fileprivate func setInput(_ bytes: UnsafeRawBufferPointer) {
        // zlib declares its input mutable, and does not change it.
        unsafe pointee.next_in = UnsafeMutablePointer<UInt8>(
            mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
        unsafe pointee.avail_in = UInt32(clamping: bytes.count)
    }

    fileprivate func setOutput(_ bytes: UnsafeMutableRawBufferPointer) {
        unsafe pointee.next_out = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        unsafe pointee.avail_out = UInt32(clamping: bytes.count)
    }
}
