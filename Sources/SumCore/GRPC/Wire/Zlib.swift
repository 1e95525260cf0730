internal import CZlib
package import NIOCore

/// Compresses and decompresses complete messages with zlib.
///
/// A codec exists only while it processes one message, so idle calls keep none. It is cheap to create, because its
/// window is no larger than the message.
///
/// The unsafe code is sound because zlib's state never moves, as zlib requires, and is freed before its function
/// returns, and because zlib uses the pointers to bytes only while the closure that lends them runs.
package enum Zlib {
    /// Bytes of output allocated at first. The output grows with what is decompressed, so a message costs only what it
    /// really contains.
    private static let firstRoom = 4 << 10

    /// The most bytes that a compressed message of `count` bytes can decompress to: deflate's maximum ratio is 1032
    /// (zlib's "Technical Details", "Maximum Compression Factor").
    static func largestSize(ofCompressed count: Int) -> Int {
        let (size, isOver) = count.multipliedReportingOverflow(by: 1032)
        return isOver ? .max : size
    }

    /// Appends the compressed message to `output`.
    ///
    /// - Throws: RESOURCE_EXHAUSTED if there is no memory for the codec, which needs at most 268 KiB.
    package static func compress(
        _ message: [UInt8], with compression: GRPCCompression, to output: inout ByteBuffer
    ) throws(GRPCStatus) {
        let stream = unsafe makeStream()
        defer { unsafe stream.deallocate() }
        let windowBits = windowBits(for: message.count)
        let result = unsafe deflateInit2_(
            stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, compression.format + windowBits,
            // The memory level shrinks with the window; 8 is zlib's default, for the largest.
            windowBits - 7, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard result == Z_OK else {
            throw GRPCStatus(code: .resourceExhausted, message: "not enough memory to compress")
        }
        defer { unsafe deflateEnd(stream) }
        let bound = unsafe deflateBound(stream, UInt(message.count))
        _ = unsafe message.withUnsafeBufferPointer { input in
            unsafe output.writeWithUnsafeMutableBytes(minimumWritableBytes: Int(bound)) { room in
                unsafe stream.setInput(UnsafeRawBufferPointer(input))
                unsafe stream.setOutput(room)
                // The output fits the bound, so one call is enough.
                unsafe deflate(stream, Z_FINISH)
                return unsafe room.count - Int(stream.pointee.avail_out)
            }
        }
    }

    /// Decompresses a complete message, into at most `limit` + 1 bytes.
    ///
    /// - Throws: RESOURCE_EXHAUSTED as soon as there are more than `limit` bytes, or if there is no memory for the
    ///   codec, which needs about 40 KiB; INTERNAL if the message is corrupt, cut short, or followed by other bytes
    ///   (grpc/doc/statuscodes.md).
    static func decompress(
        _ message: ByteBuffer, with compression: GRPCCompression, limit: Int
    ) throws(GRPCStatus) -> ByteBuffer {
        let stream = unsafe makeStream()
        defer { unsafe stream.deallocate() }
        let result = unsafe inflateInit2_(
            stream, compression.format + MAX_WBITS, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard result == Z_OK else {
            throw GRPCStatus(code: .resourceExhausted, message: "not enough memory to decompress")
        }
        defer { unsafe inflateEnd(stream) }
        var output = ByteBuffer()
        let end = unsafe message.withUnsafeReadableBytes { input in
            unsafe stream.setInput(input)
            return unsafe inflate(stream, to: &output, limit: limit)
        }
        guard output.readableBytes <= limit else {
            throw GRPCStatus(
                code: .resourceExhausted,
                message: "a message is larger, once decompressed, than the limit of \(limit) bytes")
        }
        guard end == Z_STREAM_END, unsafe stream.pointee.avail_in == 0 else {
            throw GRPCStatus(code: .internalError, message: "a compressed message is corrupt")
        }
        return output
    }

    /// Decompresses until the end of the input, an error, or one byte more than the limit.
    private static func inflate(
        _ stream: UnsafeMutablePointer<z_stream>, to output: inout ByteBuffer, limit: Int
    ) -> Int32 {
        var result = Z_OK
        while result == Z_OK, output.readableBytes <= limit {
            let room = min(max(output.readableBytes, firstRoom), limit + 1 - output.readableBytes)
            unsafe output.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { writable in
                let writable = unsafe UnsafeMutableRawBufferPointer(rebasing: writable[..<room])
                unsafe stream.setOutput(writable)
                result = unsafe CZlib.inflate(stream, Z_NO_FLUSH)
                return unsafe room - Int(stream.pointee.avail_out)
            }
        }
        return result
    }

    /// The smallest window that holds a message of `count` bytes, as a power of 2; deflate's smallest is 512 bytes.
    private static func windowBits(for count: Int) -> Int32 {
        min(max(Int32(Int.bitWidth - count.leadingZeroBitCount), 9), MAX_WBITS)
    }

    private static func makeStream() -> UnsafeMutablePointer<z_stream> {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        return unsafe stream
    }
}

extension GRPCCompression {
    /// The number that selects the format when it is added to zlib's window bits (zlib.h, `deflateInit2`).
    fileprivate var format: Int32 { self == .gzip ? 16 : 0 }
}

extension UnsafeMutablePointer<z_stream> {
    fileprivate func setInput(_ bytes: UnsafeRawBufferPointer) {
        // zlib declares its input as mutable, but does not change it.
        unsafe pointee.next_in = UnsafeMutablePointer<UInt8>(
            mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
        unsafe pointee.avail_in = UInt32(clamping: bytes.count)
    }

    fileprivate func setOutput(_ bytes: UnsafeMutableRawBufferPointer) {
        unsafe pointee.next_out = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        unsafe pointee.avail_out = UInt32(clamping: bytes.count)
    }
}
